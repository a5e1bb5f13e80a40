// The control socket: a supervisor answers `status` and `reload` on a unix socket. Only the supervisor's user and
// root can access its folder.
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

/** The status of a supervisor, as it answers on its control socket. */
export interface SupervisorStatus {
  readonly pid: number
  readonly script: string
  readonly state: string
  readonly generation: number
  readonly startedAt: string
  readonly workers: readonly {
    readonly slot: number
    readonly pid: number
    readonly threadId?: number
    readonly generation: number
    readonly state: string
    readonly startedAt: string
    /** Inodes of the listening sockets that the worker accepts from. */
    readonly sockets: readonly number[]
  }[]
}

export type ControlCommand = 'status' | 'reload'

export type ControlAnswer<T> = { readonly done: T } | { readonly failed: string }

const LONGEST_LINE = 1 << 20

function folderOf(uid: number): string {
  return path.join(tmpdir(), `reuseport-${uid}`)
}

function ownUid(): number {
  return process.getuid?.() ?? 0
}

/** @internal */
export class ControlServer {
  readonly #server: net.Server
  readonly #path: string

  /** @throws Error of the file system; Error where the folder belongs to another user or other users can access it. */
  static async open(answer: (command: ControlCommand) => Promise<unknown>): Promise<ControlServer> {
    const folder = folderOf(ownUid())
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = lstatSync(folder)
    const isOurs = lstatSync(folder).isDirectory() && uid === ownUid() && (mode & 0o077) === 0
    if (!isOurs) throw new Error(`${folder} must be a folder that only this user can access`)
    const file = path.join(folder, `${process.pid}.sock`)
    // A file that an ended process with the same pid has left behind.
    rmSync(file, { force: true })
    const server = net.createServer((socket) => serve(socket, answer))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(file, resolve)
    })
    chmodSync(file, 0o600)
    server.unref()
    return new ControlServer(server, file)
  }

  private constructor(server: net.Server, file: string) {
    this.#server = server
    this.#path = file
  }

  close(): void {
    this.#server.close()
    rmSync(this.#path, { force: true })
  }
}

/** @internal A supervisor also works without a control socket, so a failure is only a warning. */
export async function openControl(
  supervisor: { status(): SupervisorStatus; reload(): Promise<void> },
  warn: (message: string) => void,
): Promise<ControlServer | undefined> {
  try {
    return await ControlServer.open(async (command) =>
      command === 'status' ? supervisor.status() : await supervisor.reload(),
    )
  } catch (error) {
    warn(`reuseport ls and reuseport reload cannot reach this supervisor: ${(error as Error).message}`)
    return undefined
  }
}

function serve(socket: net.Socket, answer: (command: ControlCommand) => Promise<unknown>): void {
  socket.on('error', () => {})
  readLine(socket).then(
    async (line) => {
      const command = line.trim()
      if (command !== 'status' && command !== 'reload') {
        const failed = `unknown command '${command}': the supervisor answers 'status' and 'reload'`
        socket.end(`${JSON.stringify({ failed })}\n`)
        return
      }
      const said = await answer(command).then(
        (done) => ({ done }),
        (error: unknown) => ({ failed: error instanceof Error ? error.message : String(error) }),
      )
      socket.end(`${JSON.stringify(said)}\n`)
    },
    () => socket.destroy(),
  )
}

function readLine(socket: net.Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (data: string) => {
      text += data
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
      else if (text.length > LONGEST_LINE) reject(new Error(`the line is longer than ${LONGEST_LINE} characters`))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the supervisor closed the connection before it answered')))
  })
}

/**
 * Sends a command to the supervisor whose control socket is `file`.
 *
 * @throws where the supervisor closes the connection without an answer, or answers that the command failed; ENOENT or
 * ECONNREFUSED where no supervisor listens on `file`.
 */
export async function ask<T>(file: string, command: ControlCommand): Promise<T> {
  const socket = net.connect(file)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject)
    })
    const line = readLine(socket)
    socket.write(`${command}\n`)
    const answer = JSON.parse(await line) as ControlAnswer<T>
    if ('failed' in answer) throw new Error(answer.failed)
    return answer.done
  } finally {
    socket.destroy()
  }
}

/** The control sockets of the supervisors of this user; for root, those of all users. */
export function controlFiles(): readonly { readonly pid: number; readonly file: string }[] {
  const folders =
    ownUid() === 0
      ? readdirOrNothing(tmpdir())
          .filter((name) => /^reuseport-\d+$/.test(name))
          .map((name) => path.join(tmpdir(), name))
      : [folderOf(ownUid())]
  return folders.flatMap((folder) =>
    readdirOrNothing(folder).flatMap((name) => {
      const [, pid] = /^(\d+)\.sock$/.exec(name) ?? []
      return pid === undefined ? [] : [{ pid: Number(pid), file: path.join(folder, name) }]
    }),
  )
}

function readdirOrNothing(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The status of each supervisor that answers. The file that a dead supervisor has left behind is removed. */
export async function supervisors(): Promise<readonly SupervisorStatus[]> {
  const all = await Promise.all(
    controlFiles().map(async ({ file }) => {
      try {
        return [await ask<SupervisorStatus>(file, 'status')]
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') rmSync(file, { force: true })
        return []
      }
    }),
  )
  return all.flat()
}
