import { ReusePortSteeringError } from '../common/errors.js'
import type { Deadline } from '../common/waiting.js'
import { lockForPolicy } from '../group/lock.js'
import { isStillMember, type Member, membersNow } from '../group/member.js'
import { type Applied, applyPolicy, areSame } from './apply-policy.js'
import type { Wish } from './keeper-messages.js'
import { LEFT } from './named-members.js'

/** The policy that a keeper has put in force. A change without effect is skipped. The keeper makes one change at a time. */
export class PolicyInForce {
  #applied: (Applied & { readonly wish: Wish }) | undefined

  /**
   * Puts a wish in force, under the group's lock.
   *
   * @throws ReusePortSteeringError, ReusePortInspectionError, ReusePortLockError; what was in force then is so still,
   *   unless the change had begun: the kernel then chooses by hash until the next call.
   */
  async put(member: Member, wish: Wish, deadline: Deadline): Promise<Applied> {
    if (this.#applied !== undefined && this.#isInForce(member, wish)) return this.#applied
    const lock = await lockForPolicy(member.addon, member.socket, deadline)
    try {
      if (!isStillMember(member)) throw new ReusePortSteeringError(LEFT)
      this.#applied = undefined
      this.#applied = { ...(await applyPolicy(member, wish.policy)), wish }
      return this.#applied
    } finally {
      lock.end()
    }
  }

  #isInForce(member: Member, wish: Wish): boolean {
    return this.#applied?.wish === wish && areSame(this.#applied.members, membersNow(member, 'steer'))
  }

  /** Another process has replaced the program: the next `put` attaches it again. */
  forget(): void {
    this.#applied = undefined
  }
}
