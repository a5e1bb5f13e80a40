// Keeps a policy in force while members join and leave a group. Of all processes that want a policy for the group, one
// is the keeper: it has bound the group's name, an abstract unix socket. The others follow: each holds a connection to
// the keeper, whose start and end tell the keeper that a member has joined or left. When the keeper ends, a follower
// takes its place. The policy that was requested last applies to the whole group.
import type net from 'node:net'
import process from 'node:process'
import { ReusePortSteeringError } from '../common/errors.js'
import { Deadline } from '../common/waiting.js'
import { ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import { isStillMember, type Member } from '../group/member.js'
import type { ListenableServer } from '../node/server.js'
import type { Applied } from './apply-policy.js'
import { ask, connectTo, NameTakenError, now, reasonOf, waitForName } from './keeper-channel.js'
import type { Answer, Wish } from './keeper-messages.js'
import { KeeperServer } from './keeper-server.js'
import { LEFT, PolicyInForce } from './policy-in-force.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

/** ms between two looks at the group: members that neither keep nor follow send no message. */
const LOOK = 1000

/** ms for which changes of the members are collected before one look at the group. */
const GATHER = 20

/** ms at most for a change that another process, or the timer, has caused. */
const ANSWER = 5000

const keepers = new WeakMap<ListenableServer, Keeper>()

/** The keeper or follower that stands for the socket on which the server listens now. */
export function keeperOf(server: ListenableServer, member: Member): Keeper {
  const known = keepers.get(server)
  if (known !== undefined && !known.hasLeft) return known
  known?.stop()
  const keeper = new Keeper(server, member)
  keepers.set(server, keeper)
  return keeper
}

/** For a server that leaves its group. */
export function stopKeeping(server: ListenableServer): void {
  keepers.get(server)?.stop()
}

export class Keeper {
  readonly #server: ListenableServer
  readonly #member: Member
  readonly #inForce: PolicyInForce = new PolicyInForce()
  #wish: Wish | undefined
  #listening: KeeperServer | undefined
  #following: net.Socket | undefined
  #looking: NodeJS.Timeout | undefined
  #gathering: NodeJS.Timeout | undefined
  #again: NodeJS.Timeout | undefined
  /** The latest call of `steer`: one call runs after the other. */
  #steering: Promise<unknown> = Promise.resolve()

  constructor(server: ListenableServer, member: Member) {
    this.#server = server
    this.#member = member
  }

  /** The server has stopped listening, or listens on another socket. */
  get hasLeft(): boolean {
    return !isStillMember(this.#member)
  }

  /** @throws ReusePortSteeringError, ReusePortInspectionError, ReusePortLockError */
  steer(policy: SteeringPolicy, deadline: Deadline): Promise<Steering> {
    const steering = this.#steering.then(() => this.#steer(policy, deadline))
    this.#steering = steering.catch(() => {})
    return steering
  }

  async #steer(policy: SteeringPolicy, deadline: Deadline): Promise<Steering> {
    if (this.hasLeft) throw new ReusePortSteeringError(LEFT)
    // An earlier call may have stopped this keeper, which removes it from the map.
    if (!keepers.has(this.#server)) keepers.set(this.#server, this)
    const wish = { policy, since: now() }
    this.#wish = wish
    for (;;) {
      if (this.#listening !== undefined) return this.#keep(deadline)
      const answer = await this.#follow(wish, deadline)
      if (answer !== undefined) return answer
      if (policy === 'hash') {
        this.stop()
        return toSteering(await this.#inForce.put(this.#member, wish, deadline))
      }
      if (this.#take()) return this.#keep(deadline)
      await waitForName(deadline)
    }
  }

  /** No longer keeps or follows. The followers of a keeper then choose another one. */
  stop(): void {
    this.#wish = undefined
    clearInterval(this.#looking)
    clearTimeout(this.#gathering)
    clearTimeout(this.#again)
    this.#gathering = undefined
    this.#listening?.close()
    this.#listening = undefined
    this.#following?.destroy()
    this.#following = undefined
    if (keepers.get(this.#server) === this) keepers.delete(this.#server)
  }

  /** As the keeper: puts the wish in force, and stops keeping if that fails. */
  async #keep(deadline: Deadline): Promise<Steering> {
    try {
      if (this.#wish === undefined) throw new ReusePortSteeringError(LEFT)
      const wish = this.#wish
      const steering = toSteering(await this.#inForce.put(this.#member, wish, deadline))
      this.#listening?.tellAll(wish)
      return steering
    } catch (error) {
      this.stop()
      throw error
    } finally {
      if (this.#wish?.policy === 'hash') this.stop()
    }
  }

  /** Tries to become the keeper. @returns whether that succeeded. */
  #take(): boolean {
    const { addon, socket } = this.#member
    const server = KeeperServer.open(addon, socket, {
      onWish: (wish, answer) => void this.#onWish(wish, answer),
      onGone: () => this.#lookSoon(),
      onTakenAway: () => {
        this.#inForce.forget()
        this.#lookSoon()
      },
      onError: () => this.stop(),
    })
    if (server === undefined) return false
    this.#listening = server
    this.#looking = setInterval(() => void this.#look(), LOOK).unref()
    return true
  }

  /** Handles the wish of a follower. A newer wish replaces the group's policy, unless it cannot be put in force. */
  async #onWish({ policy, since }: Wish, answer: (answer: Answer) => void): Promise<void> {
    const own = this.#wish
    if (own === undefined) return
    // The process that asks sees the connection close, and becomes the keeper.
    if (this.hasLeft) return this.stop()
    try {
      const isNew = since > own.since && JSON.stringify(policy) !== JSON.stringify(own.policy)
      // A time that has not come yet would win for ever.
      const wish = isNew ? { policy, since: Math.min(since, Math.max(now(), own.since)) } : own
      this.#wish = wish
      const steering = toSteering(await this.#inForce.put(this.#member, wish, new Deadline(ANSWER, undefined)))
      answer({ steering })
      if (wish !== own) this.#listening?.tellAll(wish)
      if (wish.policy === 'hash') this.stop()
    } catch (error) {
      if (this.hasLeft) return this.stop()
      this.#wish = own
      this.#lookSoon()
      answer({ refused: reasonOf(error) })
    }
  }

  #lookSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      void this.#look()
    }, GATHER).unref()
  }

  /** Puts the policy in force again if members have joined or left, or if its program was replaced. */
  async #look(): Promise<void> {
    if (this.#listening === undefined) return
    if (this.#wish === undefined || this.hasLeft) {
      this.stop()
      return
    }
    try {
      await this.#inForce.put(this.#member, this.#wish, new Deadline(ANSWER, undefined))
    } catch (error) {
      // The kernel chooses by hash until the next look succeeds. An unforeseen error stops this keeper.
      if (!isExpected(error)) this.stop()
    }
  }

  /** Follows the keeper. @returns its answer; undefined if the group has no keeper. */
  async #follow(wish: Wish, deadline: Deadline): Promise<Steering | undefined> {
    this.#following?.destroy()
    this.#following = undefined
    const socket = connectTo(this.#member.addon, this.#member.socket)
    if (socket === undefined) return undefined
    const steering = await ask(socket, wish, deadline, (message) => this.#onChange(message))
    if (steering === undefined) return undefined
    if (wish.policy === 'hash') {
      socket.destroy()
      this.stop()
      return steering
    }
    this.#following = socket
    socket.once('close', () => void this.#succeed(socket))
    return steering
  }

  /** The keeper reports a newer wish of another process. */
  #onChange(wish: Wish): void {
    this.#wish = wish
    if (wish.policy === 'hash') this.stop()
  }

  /** The keeper has ended: this process or another follower takes its place. */
  async #succeed(socket: net.Socket): Promise<void> {
    if (this.#following !== socket) return
    this.#following = undefined
    await this.#takeOrFollow()
  }

  async #takeOrFollow(): Promise<void> {
    const deadline = new Deadline(ANSWER, undefined)
    try {
      while (this.#wish !== undefined && this.#listening === undefined) {
        if (this.hasLeft) return this.stop()
        if (this.#take()) return await this.#look()
        if ((await this.#follow(this.#wish, deadline)) !== undefined) return
        await waitForName(deadline)
      }
    } catch (error) {
      // From then on this server neither keeps nor follows, until a program calls `steer` for it again; but a stranger who
      // has bound the name may go. The program stays as it is meanwhile.
      if (!(error instanceof NameTakenError)) return this.stop()
      clearTimeout(this.#again)
      this.#again = setTimeout(() => void this.#takeOrFollow(), LOOK).unref()
    }
  }
}

function toSteering({ members, method, policy, reason }: Applied): Steering {
  const keeper = policy === 'hash' ? undefined : process.pid
  return { policy, method, members: members.length, keeper, reason }
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof ReusePortSteeringError ||
    error instanceof ReusePortInspectionError ||
    error instanceof ReusePortLockError
  )
}
