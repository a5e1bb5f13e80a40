import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError, type SystemFailure } from '../common/errors.js'
import { type Member, membersNow } from '../group/member.js'
import { type BoundSocket, STATES } from '../group/socket-table.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { steerAway } from '../steering/steering.js'

/**
 * A listener on its way out of its group, held by a descriptor of its own: whatever happens to the server, the group can
 * be put right through it.
 */
export class LeavingListener {
  readonly #member: Member
  readonly #descriptor: OwnedDescriptor
  #isSteered = false
  #members: readonly BoundSocket[] = []
  /** What `deferNewConnections` gave. */
  #before: number | undefined
  #isMember = true

  /** @throws ReusePortSteeringError where no descriptor is left. */
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

  /**
   * Sends new connections to the other members, from now on. The caller has the group's lock.
   *
   * @returns whether there are others.
   * @throws ReusePortSteeringError, ReusePortInspectionError
   */
  steerAway(): boolean {
    this.#isSteered = false
    this.#members = steerAway(this.#member, 'drain')
    this.#isSteered = this.#members.length > 1
    return this.#isSteered
  }

  /** Whether members have come or gone since: slots may be others now. @throws ReusePortInspectionError */
  hasGroupChanged(): boolean {
    const before = new Set(this.#members.map(({ inode }) => inode))
    // Those that come are added at the end, where they change no slot.
    for (const { inode } of membersNow(this.#member, 'drain')) before.delete(inode)
    return before.size > 0
  }

  /** From now on nobody new gets an answer here. @returns why not, where the kernel does not do it. */
  deferNewConnections(): string | undefined {
    const { addon, fd, family } = this.#descriptor
    const before = addon.deferNewConnections(fd, family)
    if (typeof before !== 'number') return textOf(before)
    this.#before = before
    return undefined
  }

  /** What is accepted while new connections are deferred would be deaf. */
  hear(accepted: number): void {
    const { addon, family } = this.#descriptor
    if (this.#before !== undefined) addon.answerNewConnections(accepted, family, this.#before)
  }

  /** The handshakes under way on this port. Which listener each belongs to the kernel does not tell. */
  handshakes(): ReadonlySet<string> | SystemFailure {
    const { addon, socket } = this.#member
    const { family } = this.#descriptor
    const peers = addon.dumpHandshakes({
      transport: 'tcp',
      family,
      states: 1 << STATES.synReceived,
      port: socket.port,
    })
    if ('errno' in peers) return peers
    const isEverywhere = socket.address === '::' || socket.address === '0.0.0.0'
    return new Set(isEverywhere ? peers : peers.filter((peer) => peer.startsWith(`${socket.address} `)))
  }

  /** Connections in its queue. */
  waiting(): number | SystemFailure {
    return this.#member.addon.waitingConnections(this.#descriptor.fd)
  }

  /** Leaves the group, which is by hash again. @returns what could not be done. */
  leave(): string | undefined {
    this.#isMember = false
    const { addon, fd, family } = this.#descriptor
    const failure = addon.leaveGroup(fd, family, this.#isSteered)
    return failure === undefined ? undefined : textOf(failure)
  }

  /** Lets go of it; what has not left by then stays as it was before. */
  end(): void {
    if (this.#isMember) this.#stay()
    this.#descriptor.close()
  }

  #stay(): void {
    const { addon, fd, family } = this.#descriptor
    if (this.#before !== undefined) addon.answerNewConnections(fd, family, this.#before)
    // There is nobody to tell that it fails; the next drain puts the group right.
    if (this.#isSteered) addon.detachProgram(fd)
  }
}

export function textOf({ errno, syscall }: SystemFailure): string {
  return `${syscall} ${getSystemErrorName(errno)}`
}
