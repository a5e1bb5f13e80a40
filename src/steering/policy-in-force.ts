import { ReusePortSteeringError } from '../common/errors.js'
import type { Deadline } from '../common/waiting.js'
import { lockForPolicy } from '../group/lock.js'
import { isStillMember, type Member, membersNow } from '../group/member.js'
import type { SeenSocket } from '../group/rows.js'
import { type Applied, applyPolicy } from './apply-policy.js'
import type { Wish } from './keeper-messages.js'

export const LEFT = 'the server has left its group in the meantime'

/** The policy that a keeper has put in force. Changes run one after the other; a change without effect is skipped. */
export class PolicyInForce {
  #applied: (Applied & { readonly wish: Wish }) | undefined
  #latest: Promise<unknown> = Promise.resolve()

  /**
   * Puts a wish in force, under the group's lock.
   *
   * @throws ReusePortSteeringError, ReusePortInspectionError, ReusePortLockError
   */
  put(member: Member, wish: Wish, deadline: Deadline): Promise<Applied> {
    const putting = this.#latest.then(async () => {
      if (this.#applied !== undefined && this.#isInForce(member, wish)) return this.#applied
      const lock = await lockForPolicy(member.addon, member.socket, deadline)
      try {
        if (!isStillMember(member)) throw new ReusePortSteeringError(LEFT)
        this.#applied = undefined
        this.#applied = { ...applyPolicy(member, wish.policy), wish }
        return this.#applied
      } finally {
        lock.end()
      }
    })
    this.#latest = putting.catch(() => {})
    return putting
  }

  #isInForce(member: Member, wish: Wish): boolean {
    return this.#applied?.wish === wish && areSame(this.#applied.members, membersNow(member, 'steer'))
  }

  /** Another process has replaced the program: the next `put` attaches it again. */
  forget(): void {
    this.#applied = undefined
  }
}

function areSame(some: readonly SeenSocket[], others: readonly SeenSocket[]): boolean {
  const inodes = new Set(some.map(({ inode }) => inode))
  return some.length === others.length && others.every(({ inode }) => inodes.has(inode))
}
