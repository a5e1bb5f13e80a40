// How other processes ask a supervisor. A supervisor is the process that the kernel names as the peer of a connection to
// its socket (SO_PEERCRED). What that process answers is shown to people; nothing is done to a process because of it.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { loadAddon } from '../native/addon.js'
import type { ControlCommand, SupervisorStatus } from './control-protocol.js'
import { ControlError } from './errors.js'
import { type ReachedSupervisor, reach, SOCKET_NAME } from './reached-supervisor.js'
import { openAllFolders, openFolders, ownUid, RuntimeFolder } from './runtime-folder.js'

/** Sockets of one folder of another user that are looked at. */
const MOST_OF_OTHERS = 16

/** A file that may be the socket of a supervisor. */
export interface ControlFile {
  /** The process that made it, in its own pid namespace. */
  readonly pid: number
  /** Its path, for `ask`. */
  readonly file: string
}

/** The sockets of the supervisors of this user; root sees those of all users. Empty where there are none. */
export function controlFiles(): readonly ControlFile[] {
  const folders = ownUid() === 0 ? openAllFolders(ownUid()) : openFolders(ownUid())
  return folders.flatMap((folder) => {
    const files = socketsIn(folder).map(({ name, pid }) => ({ pid, file: path.join(folder.path, name) }))
    folder.close()
    return files
  })
}

function socketsIn(folder: RuntimeFolder): readonly { readonly name: string; readonly pid: number }[] {
  const sockets = folder.names().flatMap((name) => {
    const [, pid] = SOCKET_NAME.exec(name) ?? []
    return pid === undefined || !folder.hasSocket(name) ? [] : [{ name, pid: Number(pid) }]
  })
  // Another user may have made any number of them.
  return folder.uid === ownUid() ? sockets : sockets.slice(0, MOST_OF_OTHERS)
}

/**
 * Asks the supervisor whose socket `file` is, one of `controlFiles()`. `'status'` is answered within a second;
 * `'reload'` when the new workers serve.
 *
 * Rejected: `ENOENT` or `ECONNREFUSED` where the supervisor has ended, `ERR_REUSEPORT_CONTROL` where the process that
 * answers is not the one that the file names, answers nothing in time, or something that is not an answer; what the
 * supervisor itself refuses, as an `Error`.
 */
export async function ask(file: string, command: 'status'): Promise<SupervisorStatus>
export async function ask(file: string, command: 'reload'): Promise<undefined>
export async function ask(file: string, command: ControlCommand): Promise<SupervisorStatus | undefined> {
  const [, digits] = /^reuseport-(\d{1,10})/.exec(path.basename(path.dirname(file))) ?? []
  const folder = RuntimeFolder.open(path.dirname(file), Number(digits ?? ownUid()))
  try {
    const reached = await reach(folder, path.basename(file))
    try {
      if (command === 'status') return await reached.status()
      await reached.request(command)
      return undefined
    } finally {
      reached.close()
    }
  } finally {
    folder.close()
  }
}

/**
 * Connects to every supervisor of this user, or (`'all'`, for root) of all users. The caller closes the connections. In
 * this user's own folders the file of a supervisor that has ended is removed.
 *
 * @internal
 * @param warn Is told of each file that is not served as it should be.
 */
export async function reachSupervisors(
  whose: 'own' | 'all',
  warn: (message: string) => void,
): Promise<readonly ReachedSupervisor[]> {
  const state = loadAddon()
  if (!state.loaded) throw new ControlError(`the addon names the peer of a control socket: ${state.reason}`)
  const uid = ownUid()
  const folders = whose === 'all' && uid === 0 ? openAllFolders(ownUid()) : openFolders(uid)
  try {
    const reached = folders.flatMap((folder) =>
      socketsIn(folder).map(async ({ name }) => {
        try {
          return [await reach(folder, name)]
        } catch (error) {
          if (!isGone(error)) warn(`${path.join(folder.path, name)}: ${(error as Error).message}`)
          // A socket gets its name when it listens, so it is not one that is about to.
          else if (folder.uid === uid) rmSync(folder.fileIn(name), { force: true })
          return []
        }
      }),
    )
    return (await Promise.all(reached)).flat()
  } finally {
    for (const folder of folders) folder.close()
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' || code === 'ENOENT'
}

/**
 * The status of every supervisor of this user that answers within a second; root gets those of all users. `pid` is what
 * the kernel says; everything else is what the supervisor says of itself, checked for its form.
 *
 * @param warn Is told of each that does not answer as it should.
 */
export async function supervisors(warn: (message: string) => void = () => {}): Promise<readonly SupervisorStatus[]> {
  // Without the addon no process can be vouched for.
  return loadAddon().loaded ? answers(await reachSupervisors('all', warn), (one) => one.status(), warn) : []
}

/** @internal What each supervisor answers; `warn` is told of the others. Closes the connections. */
export async function answers<T>(
  reached: readonly ReachedSupervisor[],
  question: (one: ReachedSupervisor) => Promise<T>,
  warn: (message: string) => void,
): Promise<readonly T[]> {
  const all = await Promise.all(
    reached.map(async (one) => {
      try {
        return [await question(one)]
      } catch (error) {
        warn(`process ${one.peer.pid} of uid ${one.peer.uid}: ${(error as Error).message}`)
        return []
      } finally {
        one.close()
      }
    }),
  )
  return all.flat()
}
