// What an earlier `reuseport run` of this user has left on a port: told to drain and end, once the new workers serve. Which
// process that is, the kernel says: the peer at a control socket of this user, and the holder of a listening socket.
import { readdirSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspectGroup } from '../index.js'
import type { ListenWish } from '../listen/supervision.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { ProcessHandle } from '../native/process-handle.js'
import { reachSupervisors } from './control-client.js'
import type { ListeningInfo, Replaced } from './events.js'
import { WORKER_NAME } from './protocol.js'
import type { Emit } from './restart.js'

const GLANCE = 50 // ms

type Ports = readonly (ListeningInfo & { readonly wish: ListenWish })[]

/**
 * @internal
 * @param own The processes of this supervisor.
 * @param warn Is told of what could not be asked or ended.
 * @throws ReusePortInspectionError
 */
export async function endPredecessors(
  ports: Ports,
  own: ReadonlySet<number>,
  timeout: number,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<Replaced> {
  const state = loadAddon()
  if (!state.loaded) return { ended: [], strangers: [], late: [] }
  const { addon } = state
  const groups = await Promise.all(
    ports.map(({ address, port, wish }) =>
      inspectGroup({ port, host: address, protocol: wish.datagram === undefined ? 'tcp' : 'udp' }),
    ),
  )
  const members = groups.flatMap((group) => group.members).filter(({ pid }) => pid === undefined || !isOwn(pid, own))
  const inodes = Float64Array.from(members, ({ inode }) => inode)
  const ending: ProcessHandle[] = []
  const held = new Set<number>()
  const end = (handle: ProcessHandle): void => {
    ending.push(handle)
    for (const inode of addon.heldBy(handle.pid, inodes)) held.add(inode)
    const failure = handle.terminate()
    if (failure !== undefined)
      warn(`process ${handle.pid} could not be told to end (${failure.syscall} ${failure.errno})`)
  }
  try {
    const reached = await reachSupervisors('own', warn)
    for (const { peer } of reached) {
      const handle = own.has(peer.pid) ? undefined : ProcessHandle.open(addon, peer.pid)
      if (handle === undefined) continue
      // A supervisor holds every socket of its workers. Looked at when the handle is open: it is that process.
      if (addon.heldBy(peer.pid, inodes).length > 0) end(handle)
      else handle.close()
    }
    for (const one of reached) one.close()
    const strangers = new Set<number>()
    for (const { inode, pid } of members) {
      if (pid === undefined || held.has(inode)) continue
      // After the death of a supervisor, a worker and its successor may hold one socket.
      const others = holdersOf(addon, inode, own).flatMap((holder) => openUnasked(addon, holder, inode) ?? [])
      if (others.length === 0) strangers.add(pid)
      for (const other of others) {
        if (ending.some((handle) => handle.pid === other.pid)) other.close()
        else end(other)
      }
    }
    // A process that is stopped (SIGSTOP) hears the signal when it is continued.
    const isEnding = (): boolean => ending.some((handle) => !handle.hasEnded() && !handle.isStopped())
    const deadline = performance.now() + timeout
    while (isEnding() && performance.now() < deadline && !signal.aborted) await sleep(GLANCE)
    return {
      ended: ending.map(({ pid }) => pid),
      strangers: [...strangers],
      late: ending.filter((handle) => !handle.hasEnded()).map(({ pid }) => pid),
    }
  } finally {
    for (const handle of ending) handle.close()
  }
}

/** @internal What the option `replace` does, once the workers serve. */
export async function replaceEarlier(
  { alive, leaveTimeout, sockets }: Successors,
  signal: AbortSignal,
  emit: Emit,
): Promise<void> {
  const own = new Set([process.pid, ...alive.map(({ pid }) => pid)])
  emit('replaced', await endPredecessors(sockets.all, own, leaveTimeout, signal, (message) => emit('warning', message)))
}

interface Successors {
  readonly alive: readonly { readonly pid: number }[]
  readonly leaveTimeout: number
  readonly sockets: { readonly all: Ports }
}

/** Every process that holds the socket, as far as this user may see. Linux: proc(5). */
function holdersOf(addon: Addon, inode: number, own: ReadonlySet<number>): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => !own.has(pid) && addon.heldBy(pid, Float64Array.of(inode)).length > 0)
}

/**
 * Of a worker whose supervisor did not answer on a control socket: its parent where that holds the socket too, which only
 * a supervisor does; otherwise the worker, whose supervisor has died. Linux: proc(5).
 */
function openUnasked(addon: Addon, pid: number, inode: number): ProcessHandle | undefined {
  if (!isWorker(pid)) return undefined
  const supervisor = supervisorOf(addon, pid, inode)
  const handle = ProcessHandle.open(addon, supervisor ?? pid)
  // Looked at again: the number may have become another process's before the handle was opened.
  if (handle === undefined || (holds(addon, handle.pid, inode) && (supervisor !== undefined || isWorker(pid))))
    return handle
  handle.close()
  return undefined
}

/** @internal The parent of a worker, where that holds the socket too. */
export function supervisorOf(addon: Addon, pid: number, inode: number): number | undefined {
  const parent = parentOf(pid)
  return parent > 1 && parent !== process.pid && holds(addon, parent, inode) ? parent : undefined
}

function holds(addon: Addon, pid: number, inode: number): boolean {
  return addon.heldBy(pid, Float64Array.of(inode)).length > 0
}

/** @internal Whether it is one of these processes, or one that a worker of this supervisor has started (`cluster`). */
export function isOwn(pid: number, own: ReadonlySet<number>): boolean {
  return own.has(pid) || workerName(pid)?.startsWith(`${process.pid}.`) === true
}

/** @internal Whether a supervisor has started it, or a worker of one. */
export function isWorker(pid: number): boolean {
  return workerName(pid) !== undefined
}

function workerName(pid: number): string | undefined {
  const lines = readOrNothing(`/proc/${pid}/environ`).split('\0')
  return lines.find((line) => line.startsWith(`${WORKER_NAME}=`))?.slice(WORKER_NAME.length + 1)
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readOrNothing(`/proc/${pid}/status`))?.[1] ?? 0)
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
