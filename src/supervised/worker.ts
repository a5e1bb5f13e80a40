// A process or thread that a supervisor has started. The worker reports its servers, sends their sockets to the
// supervisor, takes the sockets that the supervisor has kept, and drains on the message `leave` and on a signal.
import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { closeHandle } from '../common/close-handle.js'
import { type EndingSignal, SignalCount } from '../common/ending-signals.js'
import type { DrainReport, ListenableServer } from '../index.js'
import { type ListenWish, type Supervision, setSupervision } from '../listen/supervision.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { rememberContext } from '../node/guest-listener.js'
import { type SteeringName, type ToWorker, UNIX } from '../supervisor/protocol.js'
import { BalancedServers } from './balanced.js'
import { Datagrams } from './datagrams.js'
import { drainAll } from './drain-all.js'
import { Guests } from './guests.js'
import { serveHealth } from './health.js'
import { InheritedSockets } from './inherited.js'
import type { Link } from './link.js'
import type { Nested } from './nested.js'
import { OneSocket } from './one-socket.js'
import { OwnGuests } from './own-guests.js'
import { placeOf, Servers } from './servers.js'
import { EndingSignals } from './signals.js'
import { TakenBack } from './taken-back.js'
import { TicketKeys } from './ticket-keys.js'

export class SupervisedWorker implements Supervision {
  readonly #link: Link
  readonly #nested: Nested
  readonly #servers = new Servers()
  readonly #signals: EndingSignals
  readonly #heard = new SignalCount(() => performance.now())
  readonly #ticketKeys: TicketKeys
  /** Sockets that all workers accept from. */
  readonly common: OneSocket
  readonly #inherited: InheritedSockets
  readonly #takenBack: TakenBack
  readonly #guests: Guests
  readonly #ownGuests: OwnGuests
  /** Set where the supervisor keeps the numbers of connections even. */
  readonly #balanced: BalancedServers | undefined
  /** The id of the socket that was taken for each wish. */
  readonly #taken = new WeakMap<ListenWish, string>()
  readonly #datagrams: Datagrams
  /** Calls with port 0. */
  readonly #asked = { tcp: 0, udp: 0 }
  /** Sockets that this worker has opened itself. */
  #opened = 0
  /** The signal for which the worker leaves, or has asked for a successor. */
  #leaving: EndingSignal | undefined
  #isTold = false

  constructor(link: Link, nested: Nested) {
    this.#link = link
    this.#nested = nested
    this.#inherited = new InheritedSockets(link.configuration.sockets, link.isThread)
    this.common = new OneSocket(link, this.#inherited, (server, wish, id) => this.#tell(server, wish, id))
    this.#takenBack = new TakenBack(link)
    this.#guests = new Guests(link, this.#servers)
    this.#ownGuests = new OwnGuests((message) => link.send(message))
    this.#balanced = link.configuration.balance === undefined ? undefined : new BalancedServers(link)
    this.#datagrams = new Datagrams(
      link,
      () => `${link.configuration.worker}:${this.#opened++}`,
      (id) => this.#inherited.giveBack(id),
    )
    this.#ticketKeys = new TicketKeys(link.configuration.ticketKeys)
    this.#signals = new EndingSignals(
      (signal) => this.#onSignal(signal),
      () => this.#onDisconnect(),
    )
    link.onMessage((message, handle) => this.#onMessage(message, handle))
    setSupervision(this)
  }

  /** In a thread, this process. */
  readonly keeper: number = isMainThread ? process.ppid : process.pid

  /** Set where all workers accept from one socket at each port. */
  get oneSocket(): OneSocket | undefined {
    return this.#link.configuration.isShared ? this.common : undefined
  }

  get steering(): SteeringName | undefined {
    return this.#link.configuration.steering
  }

  take(wish: ListenWish): ReturnType<Supervision['take']> {
    if (wish.port === 0) this.#asked[transportOf(wish)]++
    const kept = this.#inherited.take(wish)
    if (kept === undefined) return undefined
    const { fd, id, inode } = kept
    this.#taken.set(wish, id)
    return { fd, inode, done: (isTaken) => isTaken || this.dropped(wish) }
  }

  dropped(wish: ListenWish): void {
    const id = this.#taken.get(wish)
    // The supervisor may have asked for the socket while the program had it.
    if (id !== undefined && this.#inherited.giveBack(id)) this.#link.send({ type: 'closed', id })
  }

  portFor(wish: ListenWish): number {
    const { ports, datagramPorts } = this.#link.configuration
    const transport = transportOf(wish)
    return wish.port || ((transport === 'udp' ? datagramPorts : ports)[this.#asked[transport] - 1] ?? 0)
  }

  bound(socket: BindableSocket, wish: ListenWish): void {
    this.#datagrams.add(socket, wish, this.#taken.get(wish))
  }

  adopted(server: ListenableServer, wish: ListenWish): void {
    this.#tell(server, wish, this.#taken.get(wish))
  }

  /** @param known The id of the server's socket, where the supervisor already holds it. */
  #tell(server: ListenableServer, wish: ListenWish, known: string | undefined): void {
    const { configuration, isThread } = this.#link
    const id = known ?? `${configuration.worker}:${this.#opened++}`
    this.#servers.add({ server, id, wish })
    rememberContext(server)
    this.#ticketKeys.give(server)
    const place = placeOf(server)
    if (place === undefined) {
      if (known !== undefined) this.#link.send({ type: 'listens', id })
      return
    }
    this.#balanced?.add(server, place)
    const handle = known === undefined ? (server as { readonly _handle?: { readonly fd?: number } })._handle : undefined
    const fd = isThread ? handle?.fd : undefined
    const message = { type: 'listening', id, wish, ...place, fd } as const
    this.#link.send(message, isThread ? undefined : handle, () => {
      // Closed since, perhaps: what was heard of that named a socket that nobody knew.
      if (server.listening) this.#link.send(message)
      else this.#link.send({ type: 'not-opened', wish })
    })
  }

  /** The program drains a server itself. At the order to leave, the supervisor has had the guests part already. */
  leaving(server: ListenableServer, handOver: boolean): Promise<void> | undefined {
    const listening = this.#servers.listening().find((one) => one.server === server)
    if (handOver || this.#isTold || listening === undefined || !this.#link.isOpen()) return undefined
    return this.#ownGuests.part(listening.id)
  }

  /** The program closes a server. */
  closing(server: ListenableServer): void {
    this.#guests.closing(server)
    const listening = this.#servers.delete(server)
    if (listening === undefined) return
    this.#balanced?.closing(server)
    this.#inherited.giveBack(listening.id)
    this.#link.send({ type: 'closed', id: listening.id })
  }

  #onMessage(message: ToWorker, handle: unknown): void {
    if (message.type === 'leave') void this.#leave(this.#leaving ?? message.signal, message.kept)
    else if (message.type === 'steered') this.#datagrams.steered = message.ids
    else if (message.type === 'release') this.#release(message.ids)
    else if (message.type === 'ticket-keys') this.#ticketKeys.change(message.keys, this.#servers.listening())
    else if (message.type === 'give-back') this.#takenBack.take(message, handle)
    else if (message.type === 'yours') {
      this.#takenBack.own(message.id)
      this.#ownGuests.parted(message.id)
    } else if (message.type === 'join') this.#guests.join(message, handle)
    else if (message.type === 'part') this.#guests.part(message.id)
    else if (message.type === 'ping') this.#link.send({ type: 'pong', ping: message.ping })
    else if (message.type === 'health') serveHealth(message.ask, handle, this.#servers, this.#link)
    else if (message.type === 'serve' || message.type === 'passed' || message.type === 'fewest')
      this.#hearOfOthers(message, handle)
    else this.common.answer(message, handle)
  }

  #hearOfOthers(message: ToWorker & { readonly type: 'serve' | 'passed' | 'fewest' }, handle: unknown): void {
    if (this.#balanced === undefined) closeHandle(handle)
    else this.#balanced.hear(message, handle)
  }

  /** Answers in a later turn: a program that only looks whether its port is free has closed that server by then. */
  #release(ids: readonly string[]): void {
    setImmediate(() => this.#link.send({ type: 'released', ids: this.#inherited.release(ids) }))
  }

  #onSignal(signal: EndingSignal): void {
    // The program gets this one even if the drain has not ended.
    if (this.#heard.hear() === 'at once') this.#signals.pass(signal, this.#link.isThread)
    // An order of the supervisor is no signal: the first signal after it says the same once more.
    else if (this.#leaving !== undefined) return
    else if (this.#link.isOpen()) {
      this.#leaving = signal
      this.#link.send({ type: 'relieve', signal })
    } else void this.#leave(signal, this.#common())
  }

  /** The supervisor has ended, perhaps with the reader of stdout and stderr: their errors must not end the worker. */
  #onDisconnect(): void {
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    this.#guests.leave()
    this.common.openAll()
    this.#balanced?.disconnected()
    // A worker that has asked for a successor will not get one.
    if (this.#leaving !== undefined) void this.#leave(this.#leaving, this.#common())
  }

  /** Ids of the sockets that other workers accept from too, which stay in use without this worker. */
  #common(): readonly string[] {
    const { isShared, sockets } = this.#link.configuration
    const given = new Set(sockets.filter(({ isGiven }) => isGiven).map(({ id }) => id))
    return this.#servers
      .listening()
      .filter(({ id, wish }) => isShared || given.has(id) || wish.options === UNIX)
      .map(({ id }) => id)
  }

  /**
   * Drains; then passes the signal to the program, which ends in its own way. Where the program was told first, each
   * reload under load failed requests: its `close` resets idle connections, and some programs exit at once.
   */
  async #leave(signal: EndingSignal, kept: readonly string[]): Promise<void> {
    if (this.#isTold) return
    this.#isTold = true
    this.#leaving = signal
    this.#guests.leave()
    this.#inherited.releaseAll()
    this.#balanced?.end()
    const reports = await this.drain(kept)
    const losses = reports.filter(({ lossless }) => !lossless)
    const reason = losses.map((report) => report.reason).join('; ') || undefined
    this.#link.send({ type: 'left', lossless: losses.length === 0, reason })
    this.#signals.pass(signal, this.#link.isThread)
  }

  async drain(kept: readonly string[]): Promise<readonly Pick<DrainReport, 'lossless' | 'reason'>[]> {
    const { configuration } = this.#link
    const leaving = this.#servers.listening().map(({ server, id }) => ({ server, id, handOver: kept.includes(id) }))
    for (const { server, id } of leaving.filter(({ handOver }) => handOver)) this.#takenBack.handOver(id, server)
    const [reports, ofDatagrams] = await Promise.all([
      drainAll(leaving, configuration),
      this.#datagrams.leave(kept, configuration),
      this.#nested.leave(configuration),
    ])
    return [...reports, ...ofDatagrams, ...(await this.#takenBack.drain(configuration))]
  }
}

function transportOf({ datagram }: ListenWish): 'tcp' | 'udp' {
  return datagram === undefined ? 'tcp' : 'udp'
}
