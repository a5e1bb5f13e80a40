// A supervisor answers on a unix socket of its user: who its workers are, and reload.
import { randomBytes } from 'node:crypto'
import { chmodSync, renameSync, rmSync } from 'node:fs'
import net from 'node:net'
import process from 'node:process'
import { onLine } from '../common/lines.js'
import { loadAddon } from '../native/addon.js'
import { peerOf, TELLS_PEERS } from '../native/peer.js'
import { CompileCache } from './compile-cache.js'
import {
  type ControlCommand,
  formatAnswer,
  LONGEST_REQUEST,
  parseRequest,
  type SupervisorStatus,
} from './control-protocol.js'
import { openOwnFolder, ownUid, type RuntimeFolder } from './runtime-folder.js'

/** ms for a client to say what it wants. */
const REQUEST = 5000

/** ms between two words to a client that waits. */
const PROGRESS = 1000

/** More clients than that at a time are turned away. */
const MOST_CLIENTS = 64

type Answer = (command: ControlCommand) => Promise<unknown>

/** @internal */
export class ControlServer {
  readonly #server: net.Server
  readonly #folder: RuntimeFolder
  readonly #name: string
  readonly #clients = new Set<net.Socket>()
  /** Beside the socket. */
  readonly compileCache: CompileCache

  /** @throws what the file system says; the reason where no folder can be this user's alone. */
  static async open(answer: Answer): Promise<ControlServer> {
    const folder = openOwnFolder(ownUid())
    // Unique also where processes of several pid namespaces share the folder.
    const name = `${process.pid}.${randomBytes(8).toString('hex')}.sock`
    try {
      return await new ControlServer(folder, name, answer).#listen()
    } catch (error) {
      folder.close()
      throw error
    }
  }

  private constructor(folder: RuntimeFolder, name: string, answer: Answer) {
    this.#folder = folder
    this.#name = name
    this.compileCache = new CompileCache(folder, name)
    this.#server = net.createServer((socket) => this.#serve(socket, answer))
    this.#server.maxConnections = MOST_CLIENTS
  }

  /** The socket gets its name when it listens: a name that refuses connections is one whose process has ended. */
  async #listen(): Promise<this> {
    const before = this.#folder.fileIn(`${this.#name}.new`)
    try {
      await new Promise<void>((resolve, reject) => {
        // A cluster worker's own: its primary has other descriptors, by which this path leads elsewhere.
        this.#server.once('error', reject).listen({ path: before, exclusive: true }, resolve)
      })
      chmodSync(before, 0o600)
      renameSync(before, this.#folder.fileIn(this.#name))
    } catch (error) {
      this.#server.close()
      throw error
    }
    // Nothing that a client does ends the supervisor.
    this.#server.removeAllListeners('error').on('error', () => {})
    this.#server.unref()
    return this
  }

  /** Ends every connection too: a client that says nothing keeps no supervisor from ending. */
  close(): void {
    this.#server.close()
    for (const client of this.#clients) client.destroy()
    this.compileCache.remove()
    rmSync(this.#folder.fileIn(this.#name), { force: true })
    this.#folder.close()
  }

  #serve(socket: net.Socket, answer: Answer): void {
    socket.on('error', () => {}).unref()
    if (!mayAsk(socket)) {
      socket.destroy()
      return
    }
    this.#clients.add(socket)
    const impatience = setTimeout(() => socket.destroy(), REQUEST).unref()
    socket.once('close', () => {
      clearTimeout(impatience)
      this.#clients.delete(socket)
    })
    let hasAsked = false
    onLine(socket, LONGEST_REQUEST, (line) => {
      if (hasAsked) return
      hasAsked = true
      clearTimeout(impatience)
      const request = parseRequest(line)
      if (typeof request === 'string') socket.end(formatAnswer({ kind: 'failed', reason: request }))
      else void reply(socket, request.command, answer)
    })
  }
}

/** The folder lets nobody else in; the kernel is asked all the same. */
function mayAsk(socket: net.Socket): boolean {
  const state = loadAddon()
  if (!state.loaded || !TELLS_PEERS) return true
  const peer = peerOf(state.addon, socket)
  return peer !== undefined && (peer.isOwn || peer.uid === 0)
}

async function reply(socket: net.Socket, command: ControlCommand, answer: Answer): Promise<void> {
  const progress = (): void => void socket.write(formatAnswer({ kind: 'accepted' }))
  if (command !== 'status') progress()
  const timer = setInterval(progress, PROGRESS).unref()
  try {
    socket.end(formatAnswer({ kind: 'done', value: await answer(command) }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    socket.end(formatAnswer({ kind: 'failed', reason }))
  } finally {
    clearInterval(timer)
  }
}

/** @internal Without one a supervisor works as well. */
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
