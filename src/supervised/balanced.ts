// Keeps the connections of this worker and of the others even: tells the supervisor how many there are, passes on what is
// too many here, serves what is too many elsewhere.
import process from 'node:process'
import { closeHandle } from '../common/close-handle.js'
import type { ListenableServer } from '../index.js'
import { type Connection, type Incoming, interceptConnections, isConnection } from '../node/incoming.js'
import { type FromWorker, type Place, placeKey, type ToWorker } from '../supervisor/protocol.js'
import { isLostInSilence, type Link } from './link.js'
import { type Accepting, PATIENCE, Passing } from './passing.js'

/** ms between two messages to the supervisor about the connections of one server. */
const REPORTS = 20
/** ms in which the kernel has given a process whose parent has ended another parent. */
const REPARENTED = 100

interface Balanced extends Accepting<Connection> {
  readonly server: ListenableServer
  readonly place: Place
  /** What the supervisor knows. */
  reported: number | undefined
}

type Message = ToWorker & { readonly type: 'serve' | 'passed' | 'fewest' }

export class BalancedServers {
  readonly #link: Link
  readonly #parent: number = process.ppid
  readonly #servers = new Map<string, Balanced>()
  readonly #passing: Passing<Balanced, Connection>
  #reporting: NodeJS.Timeout | undefined
  #reportedAt = Number.NEGATIVE_INFINITY
  #looking: NodeJS.Timeout | undefined
  #isDisconnected = false
  /** The last connection that was served for the supervisor. It sends one after the other. */
  #served = -1

  constructor(link: Link) {
    this.#link = link
    this.#passing = new Passing({
      send: (pass, { open, place }, connection) =>
        this.#send({ type: 'pass', ...place, pass, open: open() }, connection),
      close: (connection) => connection.close(),
    })
  }

  /** The server listens. Of several at one place the first is balanced. */
  add(server: ListenableServer, place: Place): void {
    const key = placeKey(place)
    if (this.#servers.get(key)?.server.listening === true) return
    const incoming: Incoming | undefined = interceptConnections(
      server,
      (connection) => this.#isTaken(balanced, connection),
      () => this.#report(),
    )
    if (incoming === undefined) return
    const balanced: Balanced = { ...incoming, server, place, fewest: undefined, reported: undefined }
    this.#servers.set(key, balanced)
    this.#report()
  }

  /** The program closes the server. What it has accepted, it serves. */
  closing(server: ListenableServer): void {
    for (const [key, balanced] of this.#servers) {
      if (balanced.server !== server) continue
      this.#servers.delete(key)
      this.#passing.end(balanced)
    }
  }

  /** The worker leaves: it serves what it accepts. */
  end(): void {
    this.#passing.end()
  }

  /** The supervisor has ended, or the program has closed the channel. Then the supervisor serves what was sent. */
  disconnected(): void {
    if (this.#isDisconnected) return
    this.#isDisconnected = true
    clearTimeout(this.#looking)
    this.#passing.end()
    if (!this.#passing.isWaiting) return
    setTimeout(() => this.#passing.lost(process.ppid !== this.#parent), REPARENTED)
  }

  hear(message: Message, handle: unknown): void {
    if (message.type === 'serve') this.#serve(message, handle)
    else if (message.type === 'passed') {
      this.#passing.answered(message.pass, message.isTaken, message.fewest, performance.now())
      this.#look()
    } else {
      const balanced = this.#servers.get(placeKey(message))
      if (balanced !== undefined) balanced.fewest = message.fewest
    }
  }

  #isTaken(balanced: Balanced, connection: Connection): boolean {
    const isTaken = this.#passing.offer(balanced, connection, performance.now())
    if (isTaken) this.#look()
    return isTaken
  }

  /** Answers first: if this worker dies, the supervisor knows whether something was read of the connection. */
  #serve(message: Message & { readonly type: 'serve' }, handle: unknown): void {
    const { pass } = message
    if (handle === undefined && pass === this.#served) return
    const balanced = this.#servers.get(placeKey(message))
    const isTaken = balanced?.server.listening === true && isConnection(handle)
    const open = balanced?.open() ?? 0
    if (!isTaken) closeHandle(handle)
    else this.#served = pass
    this.#send({ type: 'served', pass, isTaken, open: isTaken ? open + 1 : open })
    if (isTaken) balanced.enter(handle)
  }

  #send(message: FromWorker, connection?: Connection): void {
    this.#link.send(message, connection)
  }

  #look(): void {
    clearTimeout(this.#looking)
    this.#looking = undefined
    if (!this.#passing.isWaiting || this.#isDisconnected) return
    if (isLostInSilence()) {
      // The worker hears it as its program does.
      process.emit('disconnect')
      return
    }
    const next = this.#passing.look(performance.now()) ?? PATIENCE
    this.#looking = setTimeout(() => this.#look(), next)
  }

  /** Tells soon, and then not again for a while. A server whose connections stay as they are says nothing. */
  #report(): void {
    this.#reporting ??= setTimeout(
      () => {
        this.#reporting = undefined
        this.#reportedAt = performance.now()
        for (const balanced of this.#servers.values()) {
          const open = balanced.open()
          if (open === balanced.reported) continue
          balanced.reported = open
          this.#send({ type: 'connections', ...balanced.place, open })
        }
      },
      Math.max(1, this.#reportedAt + REPORTS - performance.now()),
    ).unref()
  }
}
