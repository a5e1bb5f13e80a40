// Connections that a program has upgraded, and how a WebSocket among them ends in order. Node's http server forgets a
// connection that it has handed to the program.
import type { EventEmitter } from 'node:events'
import { WeakList } from '../common/weak-list.js'
import { hearEvents } from './emit-hook.js'
import { dropWrites } from './ended-writable.js'
import type { LongLived } from './event-streams.js'
import { hidden } from './hidden.js'
import type { ListenableServer } from './server.js'
import { GOING_AWAY, OutgoingFrames, UpgradeAnswer } from './websocket-frames.js'

type Write = (chunk: unknown, encoding?: unknown, callback?: unknown) => boolean

export interface UpgradableSocket {
  readonly destroyed: boolean
  readonly writableEnded: boolean
  write: Write
  end: (...args: unknown[]) => unknown
}

interface UpgradeRequest {
  readonly headers: { readonly upgrade?: string }
}

const upgradedOn = new WeakMap<object, WeakList<UpgradableSocket>>()
const connectionOf = new WeakMap<UpgradableSocket, UpgradedConnection>()

/**
 * Remembers the connections of an http server that are upgraded to WebSockets from now on. No code runs for other
 * requests: Node asks for the listeners of 'upgrade' only where a request wants an upgrade, and then emits the event.
 */
export function rememberUpgrades(server: ListenableServer): void {
  if (!('closeIdleConnections' in server) || upgradedOn.has(server)) return
  upgradedOn.set(server, new WeakList(({ destroyed }) => destroyed))
  const emitter = server as unknown as EventEmitter
  const { listenerCount } = emitter
  let isHeard = false
  function countListeners(this: unknown, ...args: unknown[]): number {
    if (args[0] === 'upgrade' && !isHeard) {
      isHeard = true
      const stop = hearEvents(server, (event, told) => {
        if (event === 'upgrade') rememberUpgrade(server, told)
        return undefined
      })
      setImmediate(() => {
        isHeard = false
        stop()
      })
    }
    return Reflect.apply(listenerCount, emitter, args)
  }
  Object.defineProperty(emitter, 'listenerCount', { value: countListeners, configurable: true, writable: true })
}

/** @param told The arguments of the event 'upgrade'. */
function rememberUpgrade(server: object, [request, socket]: readonly unknown[]): void {
  const { headers } = request as UpgradeRequest
  const upgraded = socket as UpgradableSocket
  if (connectionOf.has(upgraded) || !/\bwebsocket\b/i.test(headers.upgrade ?? '')) return
  const list = upgradedOn.get(server) ?? new WeakList<UpgradableSocket>(({ destroyed }) => destroyed)
  upgradedOn.set(server, list)
  list.add(upgraded)
  connectionOf.set(upgraded, new UpgradedConnection(upgraded))
}

export function upgradedSocketsOn(server: object): readonly UpgradableSocket[] {
  return upgradedOn.get(server)?.all() ?? []
}

/** Remembers those that are upgraded from now on, whoever opened the server. @returns what ends this, and gives up ends that are due. */
export function hearUpgrades(server: ListenableServer): () => void {
  const stop = hearEvents(server, (event, told) => {
    if (event === 'upgrade') rememberUpgrade(server, told)
    return undefined
  })
  return () => {
    stop()
    for (const socket of upgradedSocketsOn(server)) connectionOf.get(socket)?.giveUp()
  }
}

/** A WebSocket that can be ended in order; undefined where the socket is none, or has been ended. */
export function webSocketOn(socket: UpgradableSocket): LongLived | undefined {
  const ofPackage = hidden(socket, 'websocket')
  if (isOfPackageWs(ofPackage)) {
    if (ofPackage.readyState !== OPEN) return undefined
    return { object: socket, end: () => ofPackage.close(GOING_AWAY_CODE) }
  }
  const connection = connectionOf.get(socket)
  if (connection?.mayEnd !== true || socket.writableEnded) return undefined
  return { object: socket, end: () => connection.end() }
}

const GOING_AWAY_CODE = 1001
const OPEN = 1

interface WebSocketOfPackage {
  readonly readyState: number
  close(code: number): void
}

/** The package `ws` has its own queue of frames, and a closing handshake. */
function isOfPackageWs(value: unknown): value is WebSocketOfPackage {
  return typeof value === 'object' && value !== null && 'readyState' in value && 'close' in value
}

/**
 * What the program writes to an upgraded connection: first an answer, then frames if that makes it a WebSocket. They are
 * read from the beginning, because nothing may be written into a frame of which the program has written a part.
 */
class UpgradedConnection {
  readonly #socket: UpgradableSocket
  #answer: UpgradeAnswer | undefined = new UpgradeAnswer()
  readonly #frames = new OutgoingFrames()
  #isWebSocket = false
  #isDue = false
  readonly #unhear: () => void

  constructor(socket: UpgradableSocket) {
    this.#socket = socket
    const { write } = socket
    const own = Object.getOwnPropertyDescriptor(socket, 'write')
    let isOver = false
    const heard: Write = (...args) => {
      const isTaken = Reflect.apply(write, socket, args)
      if (!isOver) this.#read(toBytes(args[0], args[1]))
      return isTaken
    }
    Object.defineProperty(socket, 'write', { value: heard, configurable: true, writable: true })
    this.#unhear = () => {
      isOver = true
      // The program may have put a function of its own over this one.
      if (socket.write !== heard) return
      if (own === undefined) Reflect.deleteProperty(socket, 'write')
      else Object.defineProperty(socket, 'write', own)
    }
  }

  /** Whether a Close frame can be written, now or when the frame that the program is writing has ended. */
  get mayEnd(): boolean {
    const { position } = this.#frames
    return this.#isWebSocket && (position === 'boundary' || position === 'inside')
  }

  end(): void {
    this.#isDue = true
    this.#endIfDue()
  }

  giveUp(): void {
    this.#isDue = false
  }

  #read(bytes: Uint8Array): void {
    let frames = bytes
    if (this.#answer !== undefined) {
      const rest = this.#answer.push(bytes)
      if (rest === 'unfinished') return
      this.#answer = undefined
      this.#isWebSocket = rest !== 'other'
      frames = rest === 'other' ? NOTHING : rest
    }
    // What the package `ws` writes needs no reading: it ends its WebSockets itself.
    if (!this.#isWebSocket || isOfPackageWs(hidden(this.#socket, 'websocket'))) {
      this.#unhear()
      return
    }
    this.#frames.push(frames)
    if (!this.mayEnd) this.#unhear()
    this.#endIfDue()
  }

  #endIfDue(): void {
    const socket = this.#socket
    if (!this.#isDue || !this.#isWebSocket || this.#frames.position !== 'boundary' || socket.writableEnded) return
    this.#isDue = false
    this.#unhear()
    const { write, end } = socket
    Reflect.apply(write, socket, [GOING_AWAY])
    Reflect.apply(end, socket, [])
    // No frame may follow.
    dropWrites(socket)
  }
}

const NOTHING = new Uint8Array()

function toBytes(chunk: unknown, encoding: unknown): Uint8Array {
  if (typeof chunk !== 'string') return chunk instanceof Uint8Array ? chunk : NOTHING
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
}
