import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import { Deadline } from '../common/waiting.js'
import { type GroupName, groupSocketName } from '../group/name.js'
import { describeStranger, isStrangers, listenAbstract } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import { peerOf } from '../native/peer.js'
import { NameTakenError, readMessages, send } from './keeper-channel.js'
import type { Answer, Wish } from './keeper-messages.js'

/** ms at most for the wish of a follower. */
const ANSWER = 5000

/** The follower that has sent a wish. */
export interface Asking {
  answer(answer: Answer): void
  /** Ends also when the follower waits no longer: what it wished is then nobody's wish. */
  readonly deadline: Deadline
}

export interface KeeperEvents {
  onWish(wish: Wish, asking: Asking): void
  /** A process that had sent a wish has closed its connection. */
  onGone(): void
  /** A process reports that the program of the policy has been replaced, for example by a drain (`tellKeeper`). */
  onTakenAway(): void
  onError(): void
}

/** The keeper's side of the connections to its followers. These connections do not keep the process alive. */
export class KeeperServer {
  readonly #addon: Addon
  readonly #events: KeeperEvents
  readonly #server: net.Server
  readonly #followers = new Set<net.Socket>()

  private constructor(addon: Addon, events: KeeperEvents) {
    this.#addon = addon
    this.#events = events
    this.#server = net.createServer({ allowHalfOpen: true }, (socket) => this.#onFollower(socket))
  }

  /** @returns undefined if the group already has a keeper. @throws ReusePortSteeringError */
  static open(addon: Addon, group: GroupName, events: KeeperEvents): KeeperServer | undefined {
    const keeper = new KeeperServer(addon, events)
    const server = keeper.#server
    server.on('error', () => events.onError())
    const name = groupSocketName('keeper', group)
    const failure = listenAbstract(addon, name, server)
    if (failure === undefined) {
      server.unref()
      return keeper
    }
    const code = getSystemErrorName(failure.errno)
    if (code === 'ETIMEDOUT') return undefined
    if (isStrangers(failure)) throw new NameTakenError(describeStranger(addon, name))
    throw new ReusePortSteeringError(`this process cannot keep the policy (${failure.syscall} ${code})`)
  }

  tellAll(wish: Wish): void {
    for (const follower of this.#followers) send(follower, wish)
  }

  close(): void {
    this.#server.close()
    for (const follower of this.#followers) follower.destroy()
  }

  #onFollower(socket: net.Socket): void {
    socket.on('error', () => {}).unref()
    if (peerOf(this.#addon, socket)?.isOwn !== true) {
      socket.destroy()
      return
    }
    let isFollower = false
    const gone = new AbortController()
    const answer = (said: Answer): void => send(socket, said)
    readMessages(
      socket,
      (message) => {
        if (!('policy' in message)) return
        isFollower = true
        this.#followers.add(socket)
        this.#events.onWish(message, { answer, deadline: new Deadline(ANSWER, gone.signal) })
      },
      (reason) => answer({ refused: reason }),
    )
    socket.once('end', () => {
      gone.abort(new ReusePortSteeringError('the process that asked waits no longer'))
      socket.end()
      if (!isFollower) this.#events.onTakenAway()
    })
    socket.once('close', () => {
      gone.abort(new ReusePortSteeringError('the process that asked waits no longer'))
      if (this.#followers.delete(socket)) this.#events.onGone()
    })
  }
}
