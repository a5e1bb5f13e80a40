import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError, type SystemFailure } from '../common/errors.js'
import { handshakesAt } from '../group/handshakes.js'
import type { Member } from '../group/member.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'

/**
 * A listener on its way out of its group. It has a descriptor of its own, through which the group can be restored
 * whatever the program does to the server.
 */
export class LeavingListener {
  readonly #member: Member
  readonly #descriptor: OwnedDescriptor
  /** The minimum TTLs from before `deferNewConnections`, as one number; undefined unless it has succeeded. */
  #ttlsBefore: number | undefined
  #isMember = true

  /** @throws ReusePortSteeringError where the descriptor cannot be duplicated. */
  constructor(member: Member) {
    const { addon, fd, socket } = member
    const duplicate = addon.duplicate(fd)
    if (typeof duplicate !== 'number') throw new ReusePortSteeringError(textOf(duplicate))
    this.#descriptor = new OwnedDescriptor(addon, duplicate, socket.family === 'IPv4' ? 4 : 6)
    this.#member = { ...member, fd: duplicate }
  }

  get member(): Member {
    return this.#member
  }

  /** From now on this listener answers no new connection. @returns the failure, where the kernel refuses that. */
  deferNewConnections(): string | undefined {
    // Asked a second time the kernel would tell its own answer to the first.
    if (this.#ttlsBefore !== undefined) return undefined
    const { addon, fd, family } = this.#descriptor
    const before = addon.deferNewConnections(fd, family)
    if (typeof before !== 'number') return textOf(before)
    this.#ttlsBefore = before
    return undefined
  }

  /** A connection that is accepted while new ones are deferred inherits the minimum TTL, which drops its packets. */
  resetMinimumTtl(accepted: number): void {
    const { addon, family } = this.#descriptor
    if (this.#ttlsBefore !== undefined) addon.answerNewConnections(accepted, family, this.#ttlsBefore)
  }

  /** The handshakes under way at this address and port, in a later turn. */
  handshakes(): Promise<ReadonlySet<string> | SystemFailure> {
    return handshakesAt(this.#member.addon, this.#member.socket)
  }

  /** Connections in the accept queue. */
  waiting(): number | SystemFailure {
    return this.#member.addon.waitingConnections(this.#descriptor.fd)
  }

  /** Leaves the group. @param detach Detaches the group's program first: the hash chooses again. @returns the failure. */
  leave(detach: boolean): string | undefined {
    this.#isMember = false
    const { addon, fd, family } = this.#descriptor
    const failure = addon.leaveGroup(fd, family, detach)
    return failure === undefined ? undefined : textOf(failure)
  }

  /** Closes the own descriptor. A listener that has not left its group is first put back as it was before. */
  end(): void {
    if (this.#isMember) this.#stay()
    this.#descriptor.close()
  }

  #stay(): void {
    const { addon, fd, family } = this.#descriptor
    if (this.#ttlsBefore !== undefined) addon.answerNewConnections(fd, family, this.#ttlsBefore)
  }
}

export function textOf({ errno, syscall }: SystemFailure): string {
  return `${syscall} ${getSystemErrorName(errno)}`
}
