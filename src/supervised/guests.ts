// The sockets of other workers that this worker is a guest of: it watches their queues, and where one stands it accepts from it
// for a while, in the name of its own server of the same place. Nobody has to tell it to, so it takes as long as a look.
import { closeHandle } from '../common/close-handle.js'
import type { ListenableServer } from '../index.js'
import { acceptQueueOf } from '../native/accept-queue.js'
import { loadAddon } from '../native/addon.js'
import { QueueWatch } from '../native/queue-watch.js'
import { GuestListener, isServedBy, isTcpHandle, type TcpHandle } from '../node/guest-listener.js'
import { type ToWorker, wishKey } from '../supervisor/protocol.js'
import { borrow, descriptorLimit, isIdle, isListening, isRaw, resetFor } from './guest-sockets.js'
import type { Link } from './link.js'
import { OneByOne } from './one-by-one.js'
import type { Servers } from './servers.js'
import { VisitReports } from './visit-reports.js'
import { Visits } from './visits.js'

type GuestsLink = Pick<Link, 'isOpen' | 'isThread' | 'send'>
type Join = Extract<ToWorker, { readonly type: 'join' }>

interface Guest {
  readonly id: string
  readonly server: ListenableServer
  /** Keeps the socket. It never listens, so the event loop does not see it. */
  readonly handle: TcpHandle
  readonly isRaw: boolean
  /** The visit that is under way, and what happens next. */
  visit: GuestListener | undefined
  timer: NodeJS.Timeout | undefined
}

/** At one time. */
const MOST = 64
/** Descriptors that stay free for the worker's own server and for the program's files. */
const SPARE = 32
/** ms for which a queue stands before it is visited. */
const PATIENCE = 1
/** ms between two looks whether the sockets still listen. */
const LOOKS = 100
/** ms after a visit that has failed, for want of descriptors. */
const REST = 1000

export class Guests {
  readonly #link: GuestsLink
  readonly #servers: Servers
  readonly #guests = new Map<string, Guest>()
  readonly #visits = new Visits()
  readonly #oneByOne = new OneByOne()
  readonly #reports: VisitReports
  #watch: QueueWatch | undefined
  #isLeaving = false

  constructor(link: GuestsLink, servers: Servers) {
    this.#link = link
    this.#servers = servers
    this.#reports = new VisitReports((message) => link.send(message))
  }

  join(join: Join, handle: unknown): void {
    const guest = this.#mayJoin(join) ? this.#guest(join, handle) : undefined
    closeHandle(handle)
    this.#link.send({ type: 'joined', id: join.id, isTaken: guest !== undefined })
    if (guest === undefined) return
    this.#guests.set(join.id, guest)
    this.#arm(guest)
  }

  part(id: string): void {
    const guest = this.#guests.get(id)
    if (guest === undefined) return
    this.#end(guest)
    this.#guests.delete(id)
    this.#visits.forget(id)
    // The watch looks at a descriptor by its number.
    this.#watch?.disarm(guest.handle.fd)
    guest.handle.close()
    this.#reports.flush()
    this.#link.send({ type: 'parted', id })
  }

  /** The program closes the server. */
  closing(server: ListenableServer): void {
    for (const [id, guest] of this.#guests) if (guest.server === server) this.part(id)
  }

  /** From now on the worker is nobody's guest. */
  leave(): void {
    this.#isLeaving = true
    for (const id of this.#guests.keys()) this.part(id)
    this.#watch?.close()
    this.#watch = undefined
  }

  #mayJoin({ id }: Join): boolean {
    if (this.#isLeaving || this.#guests.size >= MOST || this.#guests.has(id)) return false
    return !this.#servers.listening().some((own) => own.id === id)
  }

  #guest({ id, wish, local }: Join, given: unknown): Guest | undefined {
    const state = loadAddon()
    if (!state.loaded) return undefined
    const { addon } = state
    const { isThread } = this.#link
    const source = isThread ? local : isTcpHandle(given) ? { fd: given.fd, inode: undefined } : undefined
    const handle = source && borrow(addon, source.fd, source.inode)
    const key = wishKey(wish)
    if (isListening(addon, handle)) {
      for (const { server } of this.#servers.listening().filter((own) => wishKey(own.wish) === key)) {
        if (!isServedBy(server, handle) || handle.fd >= descriptorLimit() - SPARE) continue
        if (!this.#isWatching()) break
        return { id, server, handle, isRaw: isRaw(wish.options), visit: undefined, timer: undefined }
      }
    }
    closeHandle(handle)
    return undefined
  }

  #isWatching(): boolean {
    const watch = this.#watch ?? QueueWatch.open((fd) => this.#stands(fd))
    if (watch instanceof QueueWatch) this.#watch = watch
    return this.#watch !== undefined
  }

  #arm({ handle }: Guest): void {
    this.#watch?.arm(handle.fd, PATIENCE)
  }

  #stands(fd: number): void {
    const guest = this.#at(fd)
    if (guest === undefined) return
    const queue = acceptQueueOf(fd)
    // The owner has taken it out of its group. `listen` would bring it back to life.
    if (queue === undefined) this.part(guest.id)
    // This event loop is late.
    else if (queue.waiting === 0) this.#arm(guest)
    else if (guest.visit === undefined) this.#begin(guest, queue.limit)
    else this.#take(guest)
  }

  #begin(guest: Guest, backlog: number): void {
    const isSlow = this.#oneByOne.isSlow
    guest.visit = this.#visitor(guest, backlog, isSlow)
    if (guest.visit === undefined) {
      this.#rest(guest)
      return
    }
    this.#reports.begun(guest.id)
    // First: where the visit ends at once, so does this.
    if (isSlow) this.#take(guest)
    this.#goOn(guest, performance.now() + this.#visits.begin(guest.id, performance.now()))
  }

  #visitor({ server, handle: { fd }, isRaw }: Guest, backlog: number, isSlow: boolean): GuestListener | undefined {
    const state = loadAddon()
    if (!state.loaded) return undefined
    const { addon } = state
    const reset = isRaw ? undefined : resetFor(addon, server)
    const options = {
      backlog,
      descriptors: descriptorLimit() - SPARE,
      accepted: (client: number) => {
        reset?.(client)
        this.#oneByOne.measure()
      },
      ended: () => this.#failed(fd),
    }
    if (isSlow) return GuestListener.passive(server, options)
    const handle = borrow(addon, fd)
    const visitor = GuestListener.open(server, handle, options)
    if (visitor === undefined) closeHandle(handle)
    return visitor
  }

  #take(guest: Guest): void {
    const { fd } = guest.handle
    const state = loadAddon()
    if (!state.loaded) return
    this.#oneByOne.take(state.addon, fd, {
      isFree: () => isIdle(guest.server),
      enter: (client) => guest.visit?.enter(client),
      done: (hasFailed) => (hasFailed ? this.#failed(fd) : this.#arm(guest)),
    })
  }

  /**
   * Its owner may take a socket out of its group with shutdown(2). epoll then always reports it, so the loop spins. Without
   * a channel nobody can say when to part.
   */
  #goOn(guest: Guest, end: number): void {
    const left = end - performance.now()
    const state = loadAddon()
    if (!this.#link.isOpen() || (state.loaded && !isListening(state.addon, guest.handle))) this.part(guest.id)
    else if (left > 0) guest.timer = setTimeout(() => this.#goOn(guest, end), Math.min(left, LOOKS)).unref()
    else {
      this.#end(guest)
      this.#arm(guest)
    }
  }

  #end(guest: Guest): void {
    clearTimeout(guest.timer)
    this.#oneByOne.drop(guest.handle.fd)
    const { visit } = guest
    if (visit === undefined) return
    guest.visit = undefined
    visit.part()
    this.#visits.ended(guest.id, performance.now())
    this.#reports.ended(guest.id, visit.accepted)
  }

  #failed(fd: number): void {
    const guest = this.#at(fd)
    if (guest !== undefined) this.#rest(guest)
  }

  #at(fd: number): Guest | undefined {
    return [...this.#guests.values()].find(({ handle }) => handle.fd === fd)
  }

  #rest(guest: Guest): void {
    this.#end(guest)
    guest.timer = setTimeout(() => this.#arm(guest), REST).unref()
  }
}
