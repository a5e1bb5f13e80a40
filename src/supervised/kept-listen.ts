// The worker's side of a QueueKeeper: servers whose sockets the primary keeps, in a program that starts its workers itself.
import { AsyncLocalStorage } from 'node:async_hooks'
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { closeHandle } from '../common/close-handle.js'
import { type ListenableServer, listenReusePort } from '../index.js'
import { type ListenWish, type Supervision, setSupervision, supervision } from '../listen/supervision.js'
import { endWithServer } from '../node/cluster-port.js'
import { hearEvents } from '../node/emit-hook.js'
import { rememberContext } from '../node/guest-listener.js'
import type { ToWorker } from '../supervisor/protocol.js'
import { Guests } from './guests.js'
import { channelLink, type Link } from './link.js'
import { OwnGuests } from './own-guests.js'
import { type ListeningServer, placeOf, Servers } from './servers.js'

/** ms for the keeper to say whether it has a socket for a server. */
const ANSWERS = 1000

type Answer = ToWorker & { readonly type: 'take' | 'open' }
type KeeperLink = Omit<Link, 'configuration'>

interface Given {
  readonly id: string
  readonly fd: number
  readonly handle: unknown
}

let kept: KeptServers | undefined

/**
 * As `listenReusePort`, for a worker that the program has started with `child_process.fork` or `cluster.fork` and given to
 * a `QueueKeeper`. The keeper gets a duplicate of the listening socket: while this worker is busy, stands still or has died,
 * other workers accept from its queue, and the next worker that listens at the same place with the same options gets the
 * socket of one that has died.
 *
 * The keeper is asked first, so the server listens a moment later, as in a worker of cluster; where no keeper answers within
 * a second, on a socket of its own. Where the process has no IPC channel, and under `reuseport run`, it is
 * `listenReusePort`. Takes the same arguments, throws and emits the same errors.
 *
 * ```js
 * listenKept(http.createServer(app), 8080)
 * ```
 */
export const listenKept: typeof listenReusePort = ((server: ListenableServer, ...args: unknown[]) => {
  if (supervision() === undefined && isMainThread && process.send !== undefined)
    kept = new KeptServers(channelLink(process.send))
  kept?.keep(server)
  return Reflect.apply(listenReusePort, undefined, [server, ...args]) as ListenableServer
}) as typeof listenReusePort

class KeptServers implements Supervision {
  readonly keeper: number = process.ppid
  readonly #link: KeeperLink
  readonly #servers = new Servers()
  readonly #guests: Guests
  readonly #toKeep = new WeakSet<ListenableServer>()
  readonly #handedOver = new WeakSet<ListenableServer>()
  readonly #wants = new Map<number, (answer?: Answer, handle?: unknown) => void>()
  readonly #ownGuests: OwnGuests
  readonly #told = new WeakSet<ListenableServer>()
  /** The id of the socket that was taken for each wish. */
  readonly #taken = new WeakMap<ListenWish, string>()
  /** The answer to the request of the server that listens at this moment. */
  #given: Given | undefined
  /** Whether there is a keeper. A primary without one would never close a socket that it is sent. */
  #isHeard = false
  #count = 0

  constructor(link: KeeperLink) {
    this.#link = link
    this.#guests = new Guests(link, this.#servers)
    this.#ownGuests = new OwnGuests((message) => link.send(message))
    link.onMessage((message, handle) => this.#hear(message, handle))
    // Nobody tells the guest to part any more. A listener of 'disconnect' would keep an idle program running.
    hearEvents(process, (event) => {
      if (event === 'disconnect') this.#guests.leave()
      return undefined
    })
    setSupervision(this)
  }

  keep(server: ListenableServer): void {
    this.#toKeep.add(server)
  }

  ask(server: ListenableServer, wish: ListenWish, then: () => void): boolean {
    if (!this.#toKeep.has(server) || !this.#link.isOpen()) return false
    const want = this.#count++
    const run = AsyncLocalStorage.snapshot()
    const timer = setTimeout(() => this.#wants.get(want)?.(), ANSWERS)
    this.#wants.set(want, (answer, handle) => {
      clearTimeout(timer)
      this.#wants.delete(want)
      const fd = answer?.type === 'take' ? descriptorOf(handle) : undefined
      this.#given = answer?.type === 'take' && fd !== undefined ? { id: answer.id, fd, handle } : undefined
      try {
        run(then)
      } finally {
        // In the meantime the program has closed the server, or called `listen` again.
        if (this.#given !== undefined) this.#return(this.#given.id)
        this.#given = undefined
        closeHandle(handle)
      }
    })
    this.#link.send({ type: 'want', want, wish })
    return true
  }

  take(wish: ListenWish): ReturnType<Supervision['take']> {
    const given = this.#given
    if (given === undefined) return undefined
    this.#given = undefined
    this.#taken.set(wish, given.id)
    return { fd: given.fd, done: (isTaken) => isTaken || this.dropped(wish) }
  }

  dropped(wish: ListenWish): void {
    const id = this.#taken.get(wish)
    if (id !== undefined) this.#return(id)
  }

  portFor({ port }: ListenWish): number {
    return port
  }

  adopted(server: ListenableServer, wish: ListenWish): void {
    if (!this.#toKeep.has(server) || !server.listening) return
    const id = this.#taken.get(wish)
    // The time makes it another one than that of an earlier process with this pid.
    const own = `${process.pid}.${Math.round(performance.timeOrigin)}:${this.#count++}`
    const listening = { server, wish, id: id ?? own }
    this.#servers.add(listening)
    rememberContext(server)
    endWithServer(server, { port: wish.port, end: () => this.#closing(server) })
    if (this.#isHeard) this.#tell(listening, id !== undefined)
  }

  leaving(server: ListenableServer, handOver: boolean): Promise<void> | undefined {
    const listening = this.#servers.listening().find((one) => one.server === server)
    if (listening === undefined || !this.#told.has(server)) return undefined
    this.#guests.closing(server)
    if (handOver) this.#handedOver.add(server)
    if (handOver || !this.#link.isOpen()) return undefined
    return this.#ownGuests.part(listening.id)
  }

  #hear(message: ToWorker, handle: unknown): void {
    this.#isHeard = true
    if (message.type === 'take' || message.type === 'open') this.#answer(message, handle)
    else if (message.type === 'join') this.#guests.join(message, handle)
    else if (message.type === 'part') this.#guests.part(message.id)
    else if (message.type === 'ping') this.#link.send({ type: 'pong', ping: message.ping })
    else if (message.type === 'yours') this.#ownGuests.parted(message.id)
    else closeHandle(handle)
  }

  #answer(answer: Answer, handle: unknown): void {
    const then = this.#wants.get(answer.want)
    if (then !== undefined) then(answer, handle)
    else {
      closeHandle(handle)
      if (answer.type === 'take') this.#return(answer.id)
    }
    // The keeper's first answer may have come late.
    for (const listening of this.#servers.listening())
      if (!this.#told.has(listening.server)) this.#tell(listening, false)
  }

  #tell({ server, id, wish }: ListeningServer, isKnown: boolean): void {
    const place = placeOf(server)
    if (place === undefined) return
    this.#told.add(server)
    const handle = isKnown ? undefined : (server as { readonly _handle?: unknown })._handle
    this.#link.send({ type: 'listening', id, wish, ...place, fd: undefined }, handle)
  }

  /** The socket waits for another server: this worker does not accept from it, or not any more. */
  #return(id: string): void {
    this.#link.send({ type: 'released', ids: [id] })
  }

  #closing(server: ListenableServer): void {
    this.#guests.closing(server)
    const listening = this.#servers.delete(server)
    if (listening === undefined || !this.#told.delete(server)) return
    if (this.#handedOver.delete(server)) this.#return(listening.id)
    else this.#link.send({ type: 'closed', id: listening.id })
  }
}

function descriptorOf(handle: unknown): number | undefined {
  const { fd } = (handle ?? {}) as { readonly fd?: unknown }
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}
