import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import { steeringName } from '../group/lock.js'
import type { SeenSocket } from '../group/rows.js'
import { listenAbstract } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import { type Answer, isOwn, type Message, readMessages, STRANGER, send, type Wish } from './keeper-channel.js'

export interface KeeperEvents {
  onMessage(message: Message, answer: (answer: Answer) => void): void
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
  static open(addon: Addon, group: SeenSocket, events: KeeperEvents): KeeperServer | undefined {
    const keeper = new KeeperServer(addon, events)
    const server = keeper.#server
    server.on('error', () => events.onError())
    const failure = listenAbstract(addon, steeringName('keeper', group), server)
    if (failure === undefined) {
      server.unref()
      return keeper
    }
    const code = getSystemErrorName(failure.errno)
    if (code === 'ETIMEDOUT') return undefined
    throw new ReusePortSteeringError(
      code === 'EACCES' ? STRANGER : `this process cannot keep the policy (${failure.syscall} ${code})`,
    )
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
    if (!isOwn(this.#addon, socket)) {
      socket.destroy()
      return
    }
    let isFollower = false
    readMessages(socket, (message) => {
      isFollower = true
      this.#followers.add(socket)
      this.#events.onMessage(message, (answer) => send(socket, answer))
    })
    socket.once('end', () => {
      socket.end()
      if (!isFollower) this.#events.onTakenAway()
    })
    socket.once('close', () => {
      if (this.#followers.delete(socket)) this.#events.onGone()
    })
  }
}
