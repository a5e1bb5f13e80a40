import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import { type GroupName, groupSocketName } from '../group/name.js'
import { describeStranger, isStrangers, listenAbstract } from '../native/abstract-socket.js'
import type { Addon } from '../native/addon-contract.js'
import { peerOf } from '../native/peer.js'
import { NameTakenError, readMessages, send } from './keeper-channel.js'
import type { Answer, Wish } from './keeper-messages.js'

export interface KeeperEvents {
  onWish(wish: Wish, answer: (answer: Answer) => void): void
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
    const answer = (said: Answer): void => send(socket, said)
    readMessages(
      socket,
      (message) => {
        if (!('policy' in message)) return
        isFollower = true
        this.#followers.add(socket)
        this.#events.onWish(message, answer)
      },
      (reason) => answer({ refused: reason }),
    )
    socket.once('end', () => {
      socket.end()
      if (!isFollower) this.#events.onTakenAway()
    })
    socket.once('close', () => {
      if (this.#followers.delete(socket)) this.#events.onGone()
    })
  }
}
