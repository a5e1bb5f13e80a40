// Who keeps a policy in force while members come and go. Of all processes that want one for a group, one is its keeper:
// whoever has the group's name, an abstract unix socket. The others hold a connection to it, by whose beginning and end
// it hears of them; when it goes, another takes its place. The policy that was asked for last is the policy of all.
import type net from 'node:net'
import process from 'node:process'
import { ReusePortSteeringError } from '../common/errors.js'
import { Deadline } from '../common/waiting.js'
import { ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import { isStillMember, type Member } from '../group/member.js'
import type { ListenableServer } from '../node/server.js'
import type { Applied } from './apply-policy.js'
import { type Answer, ask, connectTo, type Message, now, type Wish } from './keeper-channel.js'
import { KeeperServer } from './keeper-server.js'
import { parsePolicy } from './policy.js'
import { LEFT, PolicyInForce } from './policy-in-force.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

/** ms between two looks at the group, for members that tell nobody. */
const LOOK = 1000

/** ms in which news of members are gathered. */
const GATHER = 20

/** ms for what is done in answer to others. */
const ANSWER = 5000

const keepers = new WeakMap<ListenableServer, Keeper>()

/** The keeper, or follower, that a server is by the socket on which it listens now. */
export function keeperOf(server: ListenableServer, member: Member): Keeper {
  const known = keepers.get(server)
  if (known !== undefined && !known.hasLeft) return known
  known?.stop()
  const keeper = new Keeper(server, member)
  keepers.set(server, keeper)
  return keeper
}

/** Where a server leaves its group. */
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
  /** The latest call. */
  #steering: Promise<unknown> = Promise.resolve()

  constructor(server: ListenableServer, member: Member) {
    this.#server = server
    this.#member = member
  }

  /** Its server does not listen any more, or on another socket. */
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
    // A call before this one may have ended it.
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
    }
  }

  /** Leaves the keeping to others. */
  stop(): void {
    this.#wish = undefined
    clearInterval(this.#looking)
    clearTimeout(this.#gathering)
    this.#gathering = undefined
    this.#listening?.close()
    this.#listening = undefined
    this.#following?.destroy()
    this.#following = undefined
    if (keepers.get(this.#server) === this) keepers.delete(this.#server)
  }

  /** As the keeper: puts the wish in force, and lets it go again where that cannot be done. */
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

  /** @returns whether this is the keeper from now on. */
  #take(): boolean {
    const { addon, socket } = this.#member
    const server = KeeperServer.open(addon, socket, {
      onMessage: (message, answer) => void this.#onWish(message, answer),
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

  /** Of a follower: the newer wish is the wish of all, unless it cannot be had. */
  async #onWish({ policy, since }: Message, answer: (answer: Answer) => void): Promise<void> {
    const own = this.#wish
    if (own === undefined || typeof since !== 'number') return
    // Whoever asks takes its place.
    if (this.hasLeft) return this.stop()
    try {
      const isNew = since > own.since && JSON.stringify(policy) !== JSON.stringify(own.policy)
      const wish = isNew ? { policy: parsePolicy(policy), since } : own
      this.#wish = wish
      const steering = toSteering(await this.#inForce.put(this.#member, wish, new Deadline(ANSWER, undefined)))
      answer({ steering })
      if (wish !== own) this.#listening?.tellAll(wish)
      if (wish.policy === 'hash') this.stop()
    } catch (error) {
      if (this.hasLeft) return this.stop()
      this.#wish = own
      this.#lookSoon()
      answer({ refused: toReason(error) })
    }
  }

  #lookSoon(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      void this.#look()
    }, GATHER).unref()
  }

  /** Puts the policy in force anew where members have come or gone, or somebody has taken it away. */
  async #look(): Promise<void> {
    if (this.#listening === undefined) return
    if (this.#wish === undefined || this.hasLeft) {
      this.stop()
      return
    }
    try {
      await this.#inForce.put(this.#member, this.#wish, new Deadline(ANSWER, undefined))
    } catch (error) {
      // By hash until it succeeds; the next look tries again. What is not known of is left to others.
      if (!isExpected(error)) this.stop()
    }
  }

  /** @returns what the keeper says; undefined where there is none. */
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

  /** Somebody else's wish is the newer one. */
  #onChange({ policy, since }: Message): void {
    if (typeof since !== 'number' || policy === undefined) return
    this.#wish = { policy: parsePolicy(policy), since }
    if (policy === 'hash') this.stop()
  }

  /** The keeper has gone: this process, or another, takes its place. */
  async #succeed(socket: net.Socket): Promise<void> {
    const wish = this.#wish
    if (this.#following !== socket || wish === undefined) return
    this.#following = undefined
    if (this.hasLeft) return this.stop()
    try {
      for (;;) {
        if (this.#take()) {
          await this.#look()
          return
        }
        if ((await this.#follow(wish, new Deadline(ANSWER, undefined))) !== undefined) return
      }
    } catch {
      // Then there is no keeper, until somebody asks for a policy again.
      this.stop()
    }
  }
}

function toSteering({ members, method, policy, reason }: Applied): Steering {
  const keeper = policy === 'hash' ? undefined : process.pid
  return { policy, method, members: members.length, keeper, reason }
}

function toReason(error: unknown): string {
  if (error instanceof ReusePortSteeringError) return error.reason
  return error instanceof Error ? error.message : String(error)
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof ReusePortSteeringError ||
    error instanceof ReusePortInspectionError ||
    error instanceof ReusePortLockError
  )
}
