import net from 'node:net'
import type { Addon } from './addon.js'
import { ReusePortSteeringError } from './errors.js'
import { steeringName } from './group-lock.js'
import type { SeenSocket } from './group-rows.js'
import { type Answer, isOwn, type Message, readMessages, send, type Wish } from './keeper-channel.js'

export interface KeeperEvents {
  onMessage(message: Message, answer: (answer: Answer) => void): void
  /** Somebody who had a wish has gone. */
  onGone(): void
  /** Somebody has drained, and taken the program away with it. */
  onTakenAway(): void
  onError(): void
}

/** The keeper's end of the connections to its followers. Keeps no process alive. */
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

  /** @returns undefined where somebody else has the group's name. @throws ReusePortSteeringError */
  static async open(addon: Addon, group: SeenSocket, events: KeeperEvents): Promise<KeeperServer | undefined> {
    const keeper = new KeeperServer(addon, events)
    const server = keeper.#server
    const isOurs = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(false)
        else reject(new ReusePortSteeringError(`nobody can keep the policy (${error.message})`, error))
      })
      // A worker of cluster would ask its primary otherwise.
      server.listen({ path: `\0${steeringName('keeper', group)}`, exclusive: true }, () => resolve(true))
    })
    if (!isOurs) return undefined
    server.on('error', () => events.onError()).unref()
    return keeper
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
