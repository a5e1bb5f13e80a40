import { Deadline } from '../common/waiting.js'
import { type GroupLock, lockGroup } from '../group/lock.js'
import { type Member, membersNow } from '../group/member.js'
import type { BoundSocket } from '../group/socket-table.js'
import { BUCKETS } from '../steering/buckets.js'
import { stickyPolicyOf } from '../steering/known-keepers.js'
import { attachByBuckets, detach, steerAway, steerTo } from '../steering/steering.js'
import type { ClientAddressPolicy } from '../steering/steering-types.js'
import type { Led } from './led.js'

/** The program of a group from which listeners leave. Each change of it is made under the group's lock. */
export class DepartureProgram {
  readonly #member: Member
  readonly #lockTimeout: number
  readonly #signal: AbortSignal
  /** The members when the program was attached, and the slots of those that leave. */
  #members: readonly BoundSocket[] = []
  #slots: readonly number[] = []
  #isAttached = false
  readonly #sticky: ClientAddressPolicy | undefined

  /** @param signal Ends the waiting for the lock. */
  constructor(member: Member, lockTimeout: number, signal: AbortSignal) {
    this.#member = member
    this.#sticky = stickyPolicyOf(member)
    this.#lockTimeout = lockTimeout
    this.#signal = signal
  }

  /** @throws ReusePortLockError, ReusePortSteeringError; the reason of the signal */
  lock(): Promise<GroupLock> {
    const { addon, socket } = this.#member
    return lockGroup(addon, socket, new Deadline(this.#lockTimeout, this.#signal))
  }

  /** @throws ReusePortInspectionError */
  isMember({ inode }: Led): boolean {
    return membersNow(this.#member, 'drain').some((member) => member.inode === inode)
  }

  /**
   * Sends new connections to the members that stay.
   *
   * @returns whether there are any.
   * @throws ReusePortSteeringError, ReusePortInspectionError
   */
  steerAround(first: Led, others: readonly Led[]): boolean {
    const fds = [first, ...others].map(({ descriptor }) => descriptor.fd)
    const { members, slots } = steerAway(this.#through(first), fds, 'drain', this.#sticky)
    this.#members = members
    this.#slots = slots
    if (slots.length > 0) this.#isAttached = true
    else this.detach(first)
    return slots.length > 0
  }

  /** Whether members have left since then, which can change slots. @throws ReusePortInspectionError */
  hasGroupChanged(): boolean {
    const before = new Set(this.#members.map(({ inode }) => inode))
    // The kernel adds new members at the end, so they change no slot.
    for (const { inode } of membersNow(this.#member, 'drain')) before.delete(inode)
    return before.size > 0
  }

  /**
   * Where clients stay with their members: the program for the members that are left. It stays attached.
   *
   * @returns whether it is attached. @throws ReusePortSteeringError
   */
  settle(through: Led): boolean {
    const left = this.#members.length - this.#slots.length
    if (this.#sticky === undefined || left > BUCKETS) return false
    attachByBuckets(this.#through(through), this.#sticky, left)
    this.#isAttached = false
    return true
  }

  /**
   * While listeners leave one after the other, the last members move to lower slots, and what the program then calls a
   * slot may be none, which means the hash. For that moment only members get new connections whose slot stays what it is,
   * if there are any; a listener that leaves answers no new connection by then, so its client would ask again.
   *
   * @throws ReusePortSteeringError
   */
  narrow(through: Led): void {
    const left = this.#members.length - this.#slots.length
    const staying = [...this.#members.keys()].filter((slot) => slot < left && !this.#slots.includes(slot))
    if (staying.length > 0) steerTo(this.#through(through), staying)
  }

  /** A listener that left has detached it. */
  isDetached(): void {
    this.#isAttached = false
  }

  /** The hash chooses again. */
  detach(through: Led): void {
    if (!this.#isAttached) return
    this.#isAttached = false
    try {
      detach(this.#through(through))
    } catch {
      // That listener has left the group, and has detached the program before.
    }
  }

  #through({ descriptor }: Led): Member {
    return { ...this.#member, fd: descriptor.fd }
  }
}
