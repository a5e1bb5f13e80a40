// Sockets of other workers that this worker accepts from for a while, in the name of its own server of the same place.
import { readFileSync } from 'node:fs'
import { closeHandle } from '../common/close-handle.js'
import type { ListenableServer } from '../index.js'
import { waitingConnections } from '../native/accept-queue.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { duplicateOf } from '../native/duplicate-for.js'
import { GuestListener, socketHandle } from '../node/guest-listener.js'
import { type LocalSocket, type ToWorker, wishKey } from '../supervisor/protocol.js'
import type { Link } from './link.js'
import { placeOf, type Servers } from './servers.js'

type GuestsLink = Pick<Link, 'isOpen' | 'isThread' | 'send'>
type Join = Extract<ToWorker, { readonly type: 'join' }>

/** At one time. */
const MOST = 64
/** Descriptors that stay free for the worker's own server and for the program's files. */
const SPARE = 32
/** ms between two looks whether the sockets still listen. */
const LOOKS = 100

export class Guests {
  readonly #link: GuestsLink
  readonly #servers: Servers
  readonly #guests = new Map<string, GuestListener>()
  #isLeaving = false
  #looks: NodeJS.Timeout | undefined

  constructor(link: GuestsLink, servers: Servers) {
    this.#link = link
    this.#servers = servers
  }

  join(join: Join, handle: unknown): void {
    const guest = this.#mayJoin(join) ? this.#open(join, handle) : undefined
    if (guest === undefined) closeHandle(handle)
    else {
      this.#guests.set(join.id, guest)
      this.#looks ??= setInterval(() => this.#look(), LOOKS).unref()
    }
    this.#link.send({ type: 'joined', id: join.id, isTaken: guest !== undefined })
  }

  part(id: string): void {
    this.#guests.get(id)?.part()
    this.#parted(id)
  }

  /** The program closes the server. */
  closing(server: ListenableServer): void {
    for (const [id, guest] of this.#guests) if (guest.server === server) this.part(id)
  }

  /** From now on the worker is nobody's guest. */
  leave(): void {
    this.#isLeaving = true
    for (const id of this.#guests.keys()) this.part(id)
  }

  #mayJoin({ id }: Join): boolean {
    if (this.#isLeaving || this.#guests.size >= MOST || this.#guests.has(id)) return false
    return !this.#servers.listening().some((own) => own.id === id)
  }

  #open({ id, wish, backlog, local }: Join, given: unknown): GuestListener | undefined {
    const state = loadAddon()
    if (!state.loaded) return undefined
    const { addon } = state
    const handle = this.#link.isThread ? local && localHandle(addon, local) : given
    const key = wishKey(wish)
    if (isListening(addon, handle)) {
      for (const { server } of this.#servers.listening().filter((own) => wishKey(own.wish) === key)) {
        const guest = GuestListener.open(server, handle, {
          backlog,
          descriptors: descriptorLimit() - SPARE,
          accepted: isRaw(wish.options) ? undefined : resetFor(addon, server),
          ended: () => this.#parted(id),
        })
        if (guest !== undefined) return guest
      }
    }
    // The caller closes the one that came with the message.
    if (handle !== given) closeHandle(handle)
    return undefined
  }

  #parted(id: string): void {
    const guest = this.#guests.get(id)
    if (guest === undefined) return
    this.#guests.delete(id)
    if (this.#guests.size === 0) {
      clearInterval(this.#looks)
      this.#looks = undefined
    }
    this.#link.send({ type: 'parted', id, accepted: guest.accepted })
  }

  /**
   * Its owner may take a socket out of its group with shutdown(2). epoll then always reports it, so the loop spins. Without
   * a channel nobody can say when to part.
   */
  #look(): void {
    const state = loadAddon()
    for (const [id, guest] of this.#guests)
      if (!this.#link.isOpen() || (state.loaded && !isListening(state.addon, guest))) this.part(id)
  }
}

/** `listen` would bring back to life a socket that its owner has taken out of its group. */
function isListening(addon: Addon, handle: unknown): boolean {
  const { fd } = (handle ?? {}) as { readonly fd?: unknown }
  return typeof fd === 'number' && fd >= 0 && typeof waitingConnections(addon, fd) === 'number'
}

function localHandle(addon: Addon, { fd, inode }: LocalSocket): object | undefined {
  const copy = duplicateOf(addon, fd, inode)
  if (typeof copy !== 'number') return undefined
  const handle = socketHandle(copy)
  if (handle === undefined) addon.close(copy)
  else addon.release(copy)
  return handle
}

/** A connection inherits the minimum TTL by which an owner that drains defers new ones, and that drops its packets. */
function resetFor(addon: Addon, server: ListenableServer): (fd: number) => void {
  const family = placeOf(server)?.family === 'IPv4' ? 4 : 6
  return (fd) => void addon.answerNewConnections(fd, family, 0)
}

/** Whether the socket has raw options: one may be a minimum TTL of the program, which its connections keep. */
function isRaw(options: string): boolean {
  return options !== '' && !options.endsWith(',[]]')
}

function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
