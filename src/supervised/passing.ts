// Pure: which connections a worker passes on. A connection waits here, with nothing read of it, until the supervisor has
// answered. All times are in ms of one clock.
import { isAhead } from '../supervisor/ahead.js'

/** ms for an answer. A supervisor that takes longer gets no more connections until it answers. */
export const PATIENCE = 100
/** ms that a connection waits for those before it, while the supervisor answers. */
const LONGEST_WAIT = 200
/** The most connections of a worker that wait. Beyond that it serves what it accepts. */
const MOST = 64

/** A server, as this file sees it. */
export interface Accepting<Connection> {
  /** The fewest open connections of another worker; undefined where there is no other. */
  fewest: number | undefined
  open(): number
  enter(connection: Connection): void
}

export interface PassingActions<Server, Connection> {
  /** Sends the connection to the supervisor; again without it, to ask whether it was lost on its way. */
  send(pass: number, server: Server, connection: Connection | undefined): void
  close(connection: Connection): void
}

interface Waiting<Server, Connection> {
  readonly server: Server
  readonly connection: Connection
  readonly since: number
}

export class Passing<Server extends Accepting<Connection>, Connection> {
  readonly #actions: PassingActions<Server, Connection>
  readonly #queue: Waiting<Server, Connection>[] = []
  /** The one that the supervisor may have. The worker must not serve it before the answer. */
  #sent: (Waiting<Server, Connection> & { readonly pass: number; isReminded: boolean }) | undefined
  #passes = 0
  #isOver = false

  constructor(actions: PassingActions<Server, Connection>) {
    this.#actions = actions
  }

  /** @returns whether the connection waits here. Otherwise the server keeps it. */
  offer(server: Server, connection: Connection, now: number): boolean {
    if (this.#isOver || !isAhead(server.open(), server.fewest)) return false
    if (this.#isSlow(now) || this.#queue.length + (this.#sent === undefined ? 0 : 1) >= MOST) return false
    this.#queue.push({ server, connection, since: now })
    this.#send(now)
    return true
  }

  /** The supervisor answers. */
  answered(pass: number, isTaken: boolean, fewest: number | undefined, now: number): void {
    if (this.#sent?.pass !== pass) return
    const { server, connection } = this.#sent
    server.fewest = fewest
    this.#sent = undefined
    if (isTaken) this.#actions.close(connection)
    else server.enter(connection)
    this.#send(now)
  }

  /** Does what is due. @returns ms to the next look; undefined where nothing waits. */
  look(now: number): number | undefined {
    if (this.#sent !== undefined && !this.#sent.isReminded && now - this.#sent.since >= PATIENCE) {
      this.#sent.isReminded = true
      this.#actions.send(this.#sent.pass, this.#sent.server, undefined)
    }
    const longest = this.#isSlow(now) ? PATIENCE : LONGEST_WAIT
    this.#enter(({ since }) => now - since >= longest)
    this.#send(now)
    const due = this.#queue.map(({ since }) => since + longest)
    if (this.#sent?.isReminded === false) due.push(this.#sent.since + PATIENCE)
    return due.length === 0 ? undefined : Math.max(1, Math.min(...due) - now)
  }

  /** From now on nothing is passed on. The server, or each one, serves what was not sent. */
  end(server?: Server): void {
    if (server === undefined) this.#isOver = true
    this.#enter((waiting) => server === undefined || waiting.server === server)
  }

  /** There will be no answer. @param isFree Whether nobody else can have the connection that was sent. */
  lost(isFree: boolean): void {
    this.end()
    const sent = this.#sent
    this.#sent = undefined
    if (sent === undefined) return
    if (isFree) sent.server.enter(sent.connection)
    else this.#actions.close(sent.connection)
  }

  get isWaiting(): boolean {
    return this.#sent !== undefined || this.#queue.length > 0
  }

  #isSlow(now: number): boolean {
    return this.#sent !== undefined && now - this.#sent.since >= PATIENCE
  }

  #enter(isDue: (waiting: Waiting<Server, Connection>) => boolean): void {
    for (let at = this.#queue.findIndex(isDue); at >= 0; at = this.#queue.findIndex(isDue)) {
      // Taken out first: what the program does with a connection may come back here.
      const [due] = this.#queue.splice(at, 1)
      due?.server.enter(due.connection)
    }
  }

  #send(now: number): void {
    while (this.#sent === undefined) {
      const next = this.#queue.shift()
      if (next === undefined) return
      const { server, connection } = next
      // The numbers have changed since it came.
      if (!isAhead(server.open(), server.fewest)) server.enter(connection)
      else {
        const pass = this.#passes++
        this.#sent = { server, connection, since: now, pass, isReminded: false }
        this.#actions.send(pass, server, connection)
      }
    }
  }
}
