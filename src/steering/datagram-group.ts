import { ReusePortSteeringError } from '../common/errors.js'
import { Deadline } from '../common/waiting.js'
import { lockForPolicy } from '../group/lock.js'
import { type Member, membersNow, memberWith } from '../group/member.js'
import type { Addon } from '../native/addon-contract.js'
import { whyProgramsStay } from '../system/program-removal.js'
import { BUCKETS } from './buckets.js'
import { learnDatagramSlots } from './datagram-probe.js'
import type { Program } from './instructions.js'
import { HASH, memberProgram } from './probe-programs.js'
import { attachInstructions, detach } from './steering.js'
import type { BytesPolicy } from './steering-types.js'

/** How often slots are learnt of a group whose members change meanwhile. */
const ATTEMPTS = 3
/** ms for the lock of the group. */
const PATIENCE = 2000

/** A UDP socket of the group, and the slot of its worker, which is not the kernel's. */
export interface WorkerSocket {
  readonly fd: number
  readonly inode: number
  readonly port: number
  readonly slot: number
  readonly isLeaving: boolean
}

/** A group of UDP sockets of which this process has descriptors of all members. One call at a time. */
export class DatagramGroup {
  readonly #addon: Addon
  readonly #policy: BytesPolicy | undefined
  /** The inodes of the members, by the kernel's slot. */
  #bySlot: readonly number[] = []
  #program: Program | undefined

  /** @param policy Undefined: the kernel's hash, except while members leave. */
  constructor(addon: Addon, policy: BytesPolicy | undefined) {
    this.#addon = addon
    this.#policy = policy
  }

  /**
   * Puts the policy in force for the members that stay. Those that leave get no datagram.
   *
   * @throws ReusePortSteeringError, ReusePortInspectionError, ReusePortLockError
   */
  async put(sockets: readonly WorkerSocket[]): Promise<void> {
    const member = this.#memberOf(sockets)
    const lock = await lockForPolicy(this.#addon, member.socket, new Deadline(PATIENCE, undefined))
    try {
      const fds = new Map(sockets.map(({ fd, inode }) => [inode, fd]))
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (!this.#isKnown(member)) this.#bySlot = await learnDatagramSlots(member, fds, this.#program ?? HASH)
        this.#attach(member, sockets)
        if (this.#isKnown(member)) return
      }
      throw new ReusePortSteeringError('the members of the group change')
    } catch (error) {
      this.#bySlot = []
      this.#program = undefined
      detach(member)
      throw error
    } finally {
      lock.end()
    }
  }

  /**
   * Called at once after the last descriptor of a socket was closed: the kernel has moved the last member to its slot.
   *
   * @returns whether the policy is in force; otherwise slots have to be learnt. @throws as `put`
   */
  removed(inode: number, sockets: readonly WorkerSocket[]): boolean {
    const bySlot = [...this.#bySlot]
    const at = bySlot.indexOf(inode)
    const moved = bySlot.pop()
    if (at === -1 || moved === undefined) return false
    if (at < bySlot.length) bySlot[at] = moved
    this.#bySlot = bySlot
    const member = this.#memberOf(sockets)
    if (this.#isKnown(member)) this.#attach(member, sockets)
    return this.#isKnown(member)
  }

  #memberOf(sockets: readonly WorkerSocket[]): Member {
    const through = sockets.find(({ isLeaving }) => !isLeaving)
    const reason = whyProgramsStay(this.#addon)
    if (reason !== undefined) throw new ReusePortSteeringError(reason)
    if (through === undefined) throw new ReusePortSteeringError('no member of the group stays')
    return memberWith(this.#addon, 'steer', through.fd, through.port, 'udp')
  }

  #isKnown(member: Member): boolean {
    const now = membersNow(member, 'steer')
    return now.length === this.#bySlot.length && now.every(({ inode }) => this.#bySlot.includes(inode))
  }

  #attach(member: Member, sockets: readonly WorkerSocket[]): void {
    const isInGroup = ({ inode }: WorkerSocket): boolean => this.#bySlot.includes(inode)
    const staying = sockets.filter((one) => !one.isLeaving && isInGroup(one)).sort((a, b) => a.slot - b.slot)
    if (staying.length > BUCKETS) throw new ReusePortSteeringError(`a policy is for ${BUCKETS} workers at most`)
    const isWhole = staying.length === this.#bySlot.length
    if (staying.length === 0 || (isWhole && this.#policy === undefined)) {
      this.#program = undefined
      detach(member)
      return
    }
    // Of several sockets of a worker at one place, the first one gets all.
    const firsts = staying.filter(({ slot }, at) => slot !== staying[at - 1]?.slot)
    this.#program = memberProgram(
      this.#policy,
      firsts.map(({ inode }) => this.#bySlot.indexOf(inode)),
    )
    attachInstructions(member, this.#program)
  }
}
