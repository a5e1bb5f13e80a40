import { closeSync } from 'node:fs'
import type { ListenWish } from '../listen/supervision.js'
import { type KeptSocket, wishKey } from '../supervisor/protocol.js'

/**
 * The sockets that this worker got when it started. A server that listens takes one, and gives it back when it closes, so
 * that the program can listen on it again: the descriptor stays open until the supervisor says that it may go.
 */
export class InheritedSockets {
  /** False in a thread, which has the supervisor's own descriptors. */
  readonly #isOwn: boolean
  #sockets: readonly KeptSocket[]
  readonly #taken = new Set<string>()

  constructor(sockets: readonly KeptSocket[], isThread: boolean) {
    this.#sockets = sockets
    this.#isOwn = !isThread
  }

  take(wish: ListenWish): KeptSocket | undefined {
    const key = wishKey(wish)
    const found =
      (wish.datagram === undefined ? this.#given(wish) : undefined) ??
      this.#sockets.find(({ id, isGiven, wish: of }) => !isGiven && wishKey(of) === key && !this.#taken.has(id))
    if (found !== undefined) this.#taken.add(found.id)
    return found
  }

  /**
   * A given socket fits every wish for its port, and any number of servers. Of several with one port a server gets the
   * one of its address, or else one that no server has.
   */
  #given({ address, port }: ListenWish): KeptSocket | undefined {
    const fitting = this.#sockets.filter(({ isGiven, wish }) => isGiven && wish.port === port)
    const exact = fitting.filter(({ wish }) => wish.address === address || (address === null && isEverywhere(wish)))
    const candidates = exact.length > 0 ? exact : fitting
    return candidates.find(({ id }) => !this.#taken.has(id)) ?? candidates[0]
  }

  /**
   * The server that took the socket does not have it any more.
   *
   * @returns whether no server has it now. False for a given socket, which any number of servers may have.
   */
  giveBack(id: string): boolean {
    return this.#taken.delete(id) && this.#sockets.some((socket) => socket.id === id && !socket.isGiven)
  }

  /** Closes those of these sockets that no server has. @returns the closed ones. */
  release(ids: readonly string[]): readonly string[] {
    const released = this.#sockets.filter(({ id }) => ids.includes(id) && !this.#taken.has(id))
    this.#sockets = this.#sockets.filter((socket) => !released.includes(socket))
    if (this.#isOwn) for (const { fd } of released) closeSync(fd)
    return released.map(({ id }) => id)
  }

  /** The worker leaves: from now on servers open sockets of their own. */
  releaseAll(): void {
    if (this.#isOwn) for (const { fd } of this.#sockets) closeSync(fd)
    this.#sockets = []
  }
}

function isEverywhere({ address }: ListenWish): boolean {
  return address === '::' || address === '0.0.0.0'
}
