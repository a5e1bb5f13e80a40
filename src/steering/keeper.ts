// Keeps a policy in force while members join and leave a group. Of all processes that want a policy for the group, one
// is the keeper: it has bound the group's name, an abstract unix socket. The others follow: each holds a connection to
// the keeper, whose start and end tell the keeper that a member has joined or left. When the keeper ends, a follower
// takes its place. The policy that was requested last applies to the whole group.
import type { EventEmitter } from 'node:events'
import type net from 'node:net'
import process from 'node:process'
import { ReusePortSteeringError } from '../common/errors.js'
import { Deadline } from '../common/waiting.js'
import { ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import { isStillMember, type Member } from '../group/member.js'
import { refuseStrangers, toSteering } from './apply-policy.js'
import { ask, connectTo, NameTakenError, now, reasonOf, waitForName } from './keeper-channel.js'
import type { Wish } from './keeper-messages.js'
import { type Asking, KeeperServer } from './keeper-server.js'
import { KeeperTimers } from './keeper-timers.js'
import { forget, type Kept, keeperKnownFor, remember } from './known-keepers.js'
import { LEFT } from './named-members.js'
import { PolicyInForce } from './policy-in-force.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

/** ms at most for a change that the timer, or the end of a keeper, has caused. */
const ANSWER = 5000

/** The keeper or follower that stands for the socket on which the server listens now. */
export function keeperOf(server: Kept, member: Member): Keeper {
  const known = keeperKnownFor(server)
  if (known instanceof Keeper && !known.hasLeft) return known
  known?.stop()
  const keeper = new Keeper(server, member)
  remember(server, member, keeper)
  return keeper
}

export class Keeper {
  readonly #server: Kept & EventEmitter
  readonly #member: Member
  readonly #inForce: PolicyInForce = new PolicyInForce()
  /** The policy of the group, as far as this process knows: put in force here, or granted by the keeper. */
  #wish: Wish | undefined
  #listening: KeeperServer | undefined
  #following: net.Socket | undefined
  #isLookDue = false
  readonly #timers = new KeeperTimers(() => this.#look())
  /** One change runs after the other. */
  #latest: Promise<unknown> = Promise.resolve()
  readonly #onClose = (): void => this.stop()

  constructor(server: Kept, member: Member) {
    this.#server = server as Kept & EventEmitter
    this.#member = member
  }

  get policy(): SteeringPolicy | undefined {
    return this.#wish?.policy
  }

  /** The server has stopped listening, or listens on another socket. */
  get hasLeft(): boolean {
    return !isStillMember(this.#member)
  }

  /**
   * @throws ReusePortSteeringError, ReusePortInspectionError, ReusePortLockError, InvalidArgumentValueError; the policy that
   *   there was is then the policy still.
   */
  steer(policy: SteeringPolicy, deadline: Deadline): Promise<Steering> {
    const wish = { policy, since: now() }
    return this.#inTurn(() => this.#steer(wish, deadline))
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#latest.then(change)
    this.#latest = changed.catch(() => {})
    return changed
  }

  async #steer(wish: Wish, deadline: Deadline): Promise<Steering> {
    if (!this.hasLeft) await refuseStrangers(this.#member, wish.policy)
    if (this.hasLeft) throw new ReusePortSteeringError(LEFT)
    // An earlier call may have stopped this keeper, which removes it from the map.
    if (keeperKnownFor(this.#server) === undefined) remember(this.#server, this.#member, this)
    const answer = await this.#takeOrFollow(wish, deadline)
    if (answer !== undefined) return answer
    try {
      return await this.#put(wish, deadline)
    } catch (error) {
      // Without an earlier policy there is nothing to keep.
      if (this.#wish === undefined) this.stop()
      else this.#timers.lookSoon()
      throw error
    }
  }

  /** No longer keeps or follows. The followers of a keeper then choose another one. */
  stop(): void {
    this.#wish = undefined
    this.#timers.stop()
    this.#listening?.close()
    this.#listening = undefined
    this.#following?.destroy()
    this.#following = undefined
    this.#server.off('close', this.#onClose)
    forget(this.#server, this.#member, this)
  }

  /** Puts a wish in force. It becomes the policy of the group once that has succeeded. */
  async #put(wish: Wish, deadline: Deadline, answer?: (steering: Steering) => void): Promise<Steering> {
    const applied = await this.#inForce.put(this.#member, wish, deadline)
    const steering = toSteering(applied, applied.policy === 'hash' ? undefined : process.pid)
    answer?.(steering)
    if (wish !== this.#wish) this.#listening?.tellAll(wish)
    // A keeper that was stopped meanwhile keeps nothing.
    if (this.#listening !== undefined) this.#wish = wish
    if (wish.policy === 'hash') this.stop()
    return steering
  }

  /**
   * Becomes the keeper, or follows it.
   *
   * @returns the answer of the keeper; undefined where this process is the keeper, or where nobody keeps what a wish ends.
   */
  async #takeOrFollow(wish: Wish, deadline: Deadline): Promise<Steering | undefined> {
    const ends = wish.policy === 'hash'
    while (this.#listening === undefined && !(this.hasLeft || (!ends && this.#take()))) {
      const answer = await this.#follow(wish, deadline)
      if (answer !== undefined || ends) return answer
      await waitForName(deadline)
    }
    return undefined
  }

  /** Tries to become the keeper. @returns whether that succeeded. */
  #take(): boolean {
    const { addon, socket } = this.#member
    const server = KeeperServer.open(addon, socket, {
      onWish: (...args) => void this.#inTurn(() => this.#onWish(...args)),
      onGone: () => this.#timers.lookSoon(),
      onTakenAway: () => {
        this.#inForce.forget()
        this.#timers.lookSoon()
      },
      onError: () => this.stop(),
    })
    if (server === undefined) return false
    // A keeper from before answers no more.
    this.#following?.destroy()
    this.#following = undefined
    this.#listening = server
    this.#timers.lookRegularly()
    this.#server.off('close', this.#onClose).once('close', this.#onClose)
    return true
  }

  /** Handles the wish of a follower. A newer wish replaces the group's policy, unless it cannot be put in force. */
  async #onWish({ policy, since }: Wish, { answer, deadline }: Asking): Promise<void> {
    const own = this.#wish
    if (own === undefined) return
    // The process that asks sees the connection close, and becomes the keeper.
    if (this.hasLeft) return this.stop()
    try {
      const isNew = since > own.since && JSON.stringify(policy) !== JSON.stringify(own.policy)
      // A time that has not come yet would win for ever.
      const wish = isNew ? { policy, since: Math.min(since, Math.max(now(), own.since)) } : own
      await this.#put(wish, deadline, (steering) => answer({ steering }))
    } catch (error) {
      if (this.hasLeft) return this.stop()
      this.#timers.lookSoon()
      answer({ refused: reasonOf(error) })
    }
  }

  /** Puts the policy in force again if members have joined or left, or if its program was replaced. */
  #look(): void {
    if (this.#isLookDue) return
    this.#isLookDue = true
    void this.#inTurn(async () => {
      this.#isLookDue = false
      if (this.#listening === undefined) return
      if (this.#wish === undefined || this.hasLeft) return this.stop()
      try {
        await this.#put(this.#wish, new Deadline(ANSWER, undefined))
      } catch (error) {
        // The kernel chooses by hash until the next look succeeds. An unforeseen error stops this keeper.
        if (!isExpected(error)) this.stop()
      }
    })
  }

  /** Follows the keeper. @returns its answer; undefined if the group has no keeper. @throws where it refuses. */
  async #follow(wish: Wish, deadline: Deadline): Promise<Steering | undefined> {
    const socket = connectTo(this.#member.addon, this.#member.socket)
    const steering = socket && (await ask(socket, wish, deadline, (message) => this.#onChange(message)))
    if (socket === undefined || steering === undefined) return undefined
    this.#following?.destroy()
    this.#following = undefined
    // The server may have closed while the keeper answered.
    if (wish.policy === 'hash' || this.hasLeft) {
      socket.destroy()
      this.stop()
      return steering
    }
    // The keeper may know a newer wish.
    this.#wish = steering.policy === 'hash' ? wish : { policy: steering.policy, since: wish.since }
    this.#following = socket
    socket.once('close', () => this.#onKeeperGone(socket))
    this.#server.off('close', this.#onClose).once('close', this.#onClose)
    return steering
  }

  /** The keeper reports a newer wish of another process. */
  #onChange(wish: Wish): void {
    this.#wish = wish
    if (wish.policy === 'hash') this.stop()
  }

  /** The keeper has ended: this process or another follower takes its place. */
  #onKeeperGone(socket: net.Socket): void {
    if (this.#following !== socket) return
    this.#following = undefined
    void this.#inTurn(() => this.#succeed())
  }

  async #succeed(): Promise<void> {
    const wish = this.#wish
    if (wish === undefined || this.#listening !== undefined || this.#following !== undefined) return
    try {
      if ((await this.#takeOrFollow(wish, new Deadline(ANSWER, undefined))) !== undefined) return
      if (this.hasLeft) this.stop()
      else this.#look()
    } catch (error) {
      // From then on this server neither keeps nor follows, until a program calls `steer` for it again; but a stranger who
      // has bound the name may go. The program stays as it is meanwhile.
      if (!(error instanceof NameTakenError)) return this.stop()
      this.#timers.tryAgain(() => void this.#inTurn(() => this.#succeed()))
    }
  }
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof ReusePortSteeringError ||
    error instanceof ReusePortInspectionError ||
    error instanceof ReusePortLockError
  )
}
