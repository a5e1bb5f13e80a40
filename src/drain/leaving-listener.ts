import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'
import { handshakesAt } from '../group/handshakes.js'
import type { BoundSocket } from '../group/socket-table.js'
import { waitingConnections } from '../native/accept-queue.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'

/** A listening socket of this process, by a descriptor of its server's. */
export interface ListeningSocket {
  readonly addon: Addon
  readonly fd: number
  readonly socket: Pick<BoundSocket, 'port' | 'address' | 'family'>
}

/**
 * A listener on its way out of its group. It has a descriptor of its own, through which the group can be restored
 * whatever the program does to the server; where no descriptor is free, it uses the server's while that listens.
 */
export class LeavingListener {
  readonly #of: ListeningSocket
  readonly #fd: number
  readonly #family: 4 | 6
  readonly #own: OwnedDescriptor | undefined
  readonly #isServerListening: () => boolean
  /** The minimum TTLs from before `deferNewConnections`, as one number; undefined unless it has succeeded. */
  #ttlsBefore: number | undefined
  #isMember = true

  constructor(of: ListeningSocket, isServerListening: () => boolean) {
    const { addon, fd, socket } = of
    this.#of = of
    this.#family = socket.family === 'IPv4' ? 4 : 6
    this.#isServerListening = isServerListening
    const duplicate = addon.duplicate(fd)
    this.#own = typeof duplicate === 'number' ? new OwnedDescriptor(addon, duplicate, this.#family) : undefined
    this.#fd = this.#own?.fd ?? fd
    if (typeof duplicate !== 'number') this.duplicationFailure = textOf(duplicate)
  }

  /** Why it has no descriptor of its own. */
  readonly duplicationFailure: string | undefined

  get fd(): number {
    return this.#fd
  }

  /** Whether its descriptor is still that of the listener. */
  get isUsable(): boolean {
    return this.#own !== undefined || this.#isServerListening()
  }

  /** From now on this listener answers no new connection. @returns the failure, where the kernel refuses that. */
  deferNewConnections(): string | undefined {
    // Asked a second time the kernel would tell its own answer to the first.
    if (this.#ttlsBefore !== undefined) return undefined
    if (!this.isUsable) return 'the program has closed the server'
    const before = this.#of.addon.deferNewConnections(this.#fd, this.#family)
    if (typeof before !== 'number') return textOf(before)
    this.#ttlsBefore = before
    return undefined
  }

  /** A connection that is accepted while new ones are deferred inherits the minimum TTL, which drops its packets. */
  resetMinimumTtl(accepted: number): void {
    if (this.#ttlsBefore === undefined) return
    this.#of.addon.answerNewConnections(accepted, this.#family, this.#ttlsBefore)
  }

  /** The handshakes under way at this address and port, in a later turn. */
  handshakes(): Promise<ReadonlySet<string> | SystemFailure> {
    return handshakesAt(this.#of.addon, this.#of.socket)
  }

  /** Connections in the accept queue. */
  waiting(): number | SystemFailure {
    return this.isUsable ? waitingConnections(this.#of.addon, this.#fd) : 0
  }

  /** Leaves the group. @param detach Detaches the group's program first: the hash chooses again. @returns the failure. */
  leave(detach: boolean): string | undefined {
    // Another process may have the same socket, which cannot be looked up without a descriptor. So the socket is left as it
    // was before, and only the server's descriptor is closed.
    if (this.#own === undefined) return undefined
    this.#isMember = false
    const failure = this.#of.addon.leaveGroup(this.#fd, this.#family, detach)
    return failure === undefined ? undefined : textOf(failure)
  }

  /** Closes the own descriptor. A listener that has not left its group is first put back as it was before. May be called twice. */
  end(): void {
    if (this.#isMember) this.#stay()
    this.#own?.close()
  }

  #stay(): void {
    if (this.#ttlsBefore === undefined || !this.isUsable) return
    this.#of.addon.answerNewConnections(this.#fd, this.#family, this.#ttlsBefore)
  }
}

export function textOf({ errno, syscall }: SystemFailure): string {
  return `${syscall} ${getSystemErrorName(errno)}`
}
