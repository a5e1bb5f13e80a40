// Listening where all workers accept from one socket: a worker asks the supervisor for the socket. The supervisor tells
// the first worker to open it, and sends it to the others. So `listen` is asynchronous, as in a worker of cluster.
import { errorMonitor } from 'node:events'
import type net from 'node:net'
import process from 'node:process'
import { closeHandle } from '../common/close-handle.js'
import { listenError, type SystemFailure } from '../common/errors.js'
import type { ListenableServer } from '../index.js'
import type { ListenWish } from '../listen/supervision.js'
import { duplicateFor } from '../native/duplicate-for.js'
import { emitListenError } from '../node/adopt.js'
import { type KeptSocket, type PathAccess, type ToWorker, UNIX } from '../supervisor/protocol.js'
import type { InheritedSockets } from './inherited.js'
import type { Link } from './link.js'

export interface PortCall {
  readonly port: number
  readonly host: string | undefined
  readonly backlog: number | undefined
  readonly ipv6Only: boolean
  readonly signal: AbortSignal | undefined
  readonly callback: (() => void) | undefined
}

/** Node's `server.listen`. */
export type CoreListen = (server: net.Server, ...args: unknown[]) => void

const LONG = 0x7fffffff // ms: the longest interval of a timer

type Answer = Extract<ToWorker, { readonly type: 'take' | 'open' | 'refused' }>

/** A server that is to listen on a common socket. */
export interface Request {
  readonly wish: ListenWish
  /** Of a path. */
  readonly access?: PathAccess
  readonly signal: AbortSignal | undefined
  /** Listens by Node's own means. */
  open(): void
  /** Listens on this socket, a handle or (in a thread) a descriptor, which the server then owns. */
  take(socket: object | number): void
  fail(failure: SystemFailure, hint?: string): void
}

export class OneSocket {
  readonly #link: Link
  readonly #inherited: InheritedSockets
  readonly #listening: (server: net.Server, wish: ListenWish, id: string | undefined) => void
  readonly #answers = new Map<number, (answer: Answer, handle: unknown) => void>()
  /** The newest request of each server. The answers to older requests are ignored. */
  readonly #latest = new WeakMap<net.Server, number>()
  /** What to say where a server is closed that was told to listen and does not yet. */
  readonly #starting = new WeakMap<net.Server, () => void>()
  /** A timer that keeps the program running while a request waits for its answer. */
  #alive: NodeJS.Timeout | undefined
  #wants = 0
  #zeros = 0

  /** @param listening Called for each listening server, with the socket's id where the supervisor already holds it. */
  constructor(
    link: Link,
    inherited: InheritedSockets,
    listening: (server: net.Server, wish: ListenWish, id: string | undefined) => void,
  ) {
    this.#link = link
    this.#inherited = inherited
    this.#listening = listening
  }

  answer(answer: Answer, handle: unknown): void {
    this.#answers.get(answer.want)?.(answer, handle)
    this.#answers.delete(answer.want)
    if (this.#answers.size === 0) clearInterval(this.#alive)
  }

  listen(server: net.Server, call: PortCall, core: CoreListen): void {
    const { port, host, backlog, ipv6Only, signal, callback } = call
    if (callback !== undefined) server.once('listening', callback)
    // Call n with port 0 is the same wish in every worker, and another wish than the other calls.
    const options = port === 0 ? `call ${this.#zeros++}` : ''
    const wish: ListenWish = { address: host ?? null, port, ipv6Only, options }
    const request: Request = {
      wish,
      signal,
      open: () => core(server, { port, host, backlog, ipv6Only, signal }),
      take: (socket) =>
        typeof socket === 'number' ? core(server, { fd: socket, signal }, backlog) : core(server, socket, backlog),
      fail: (failure) =>
        emitListenError(
          server as unknown as ListenableServer,
          { port, host },
          listenError(failure, host ?? '::', port),
        ),
    }
    const given = this.#inherited.take(wish)
    const socket = given && duplicateFor(given.fd, given.inode)
    if (given !== undefined && socket !== undefined) this.#take(server, request, given, socket)
    else this.ask(server, request)
  }

  ask(server: net.Server, request: Request): void {
    const { wish, access } = request
    const want = this.#wants++
    this.#latest.set(server, want)
    this.#answers.set(want, (answer, handle) => {
      // In the meantime the program has closed the server or called `listen` again.
      if (this.#latest.get(server) !== want || server.listening) {
        closeHandle(handle)
        if (answer.type === 'open') this.#link.send({ type: 'not-opened', wish })
        else if (answer.type === 'take') this.#link.send({ type: 'closed', id: answer.id })
        return
      }
      if (answer.type === 'refused') {
        request.fail({ errno: answer.errno, syscall: 'listen' }, answer.hint)
        return
      }
      if (answer.type === 'open') {
        this.#start(server, wish, undefined, () => this.#link.send({ type: 'not-opened', wish }))
        request.open()
        return
      }
      const { id, local } = answer
      const socket = local === undefined ? handle : duplicateFor(local.fd, local.inode)
      if (socket !== undefined) this.#take(server, request, { id, isGiven: false }, socket)
      else {
        // Nobody else had it, and the supervisor has closed it.
        this.#link.send({ type: 'closed', id })
        this.ask(server, request)
      }
    })
    if (!this.#link.isOpen()) {
      this.answer({ type: 'open', want }, undefined)
      return
    }
    clearInterval(this.#alive)
    this.#alive = setInterval(() => {}, LONG)
    this.#link.send({ type: 'want', want, wish, access })
  }

  /** The supervisor has ended: each server that waits opens its socket, as without a supervisor. */
  openAll(): void {
    for (const want of [...this.#answers.keys()]) this.answer({ type: 'open', want }, undefined)
  }

  /** The program closes the server, perhaps before it listens. */
  forget(server: net.Server): void {
    this.#latest.delete(server)
    this.#starting.get(server)?.()
  }

  /** Tells the supervisor once what became of the server: that it listens, or by `giveUp` that it does not. */
  #start(server: net.Server, wish: ListenWish, id: string | undefined, giveUp: () => unknown): void {
    const settle = (tell: () => unknown) => (): void => {
      // Node calls a listener that was removed while the event was emitted.
      if (this.#starting.get(server) !== onFailure) return
      this.#starting.delete(server)
      server.off('listening', onListening)
      ;(server as NodeJS.EventEmitter).off(errorMonitor, onFailure)
      tell()
    }
    const onListening = settle(() => this.#listening(server, wish, id))
    const onFailure = settle(giveUp)
    this.#starting.set(server, onFailure)
    server.once('listening', onListening)
    // Not a listener of 'error': with one, an error that the program does not handle would not end the program.
    ;(server as NodeJS.EventEmitter).once(errorMonitor, onFailure)
  }

  #take(
    server: net.Server,
    { wish, signal, take, fail }: Request,
    { id, isGiven }: Pick<KeptSocket, 'id' | 'isGiven'>,
    socket: unknown,
  ): void {
    // Of a given socket the supervisor counts the servers that listen. Of the others it counts from when it sends them.
    this.#start(server, wish, id, () => isGiven || this.#link.send({ type: 'closed', id }))
    if (isFailure(socket)) {
      fail(socket)
      return
    }
    take(socket as object | number)
    if (typeof socket === 'number' && wish.options !== UNIX) return
    // Node ignores `signal` where a handle is given.
    if (signal?.aborted === true) process.nextTick(() => server.close())
    signal?.addEventListener('abort', () => server.close(), { once: true })
  }
}

function isFailure(socket: unknown): socket is SystemFailure {
  return typeof socket === 'object' && socket !== null && 'errno' in socket
}
