// Room: a listener leaves its group without losing a connection. It may import listen and every room below.
import { ReusePortSteeringError, ServerNotRunningError } from '../common/errors.js'
import { Deadline, pause } from '../common/waiting.js'
import { ReusePortInspectionError } from '../group/group-errors.js'
import { memberOf } from '../group/member.js'
import { loadAddon } from '../native/addon.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { isDatagramSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { assertServer } from '../node/server.js'
import { ServerConnections } from '../node/server-connections.js'
import { stopKeeping } from '../steering/keeper.js'
import { publishDrain } from './channel.js'
import { type Departure, depart, type Leaver } from './departure.js'
import { drainDatagram } from './drain-datagram.js'
import { type DrainTimes, parseDrainOptions } from './drain-options.js'
import type { DrainOptions, DrainReport } from './drain-types.js'

const draining = new WeakMap<ListenableServer | BindableSocket, Promise<DrainReport>>()

/**
 * Takes a server out of the group that shares its port and closes it, without losing a connection: new connections go to
 * the other members, what has begun is accepted, and what was accepted may finish.
 *
 * ```js
 * process.once('SIGTERM', async () => {
 *   const { lossless, reason } = await drain(server)
 *   process.exit(0)
 * })
 * ```
 *
 * For every server that listens on a port, whoever opened it: `listenReusePort`, Node's `reusePort`, workers of cluster,
 * worker threads. A second call for the same server gives the same promise, until it listens again. From the moment that new connections go
 * elsewhere HTTP/1 answers say `Connection: close`, and HTTP/2 sessions get a GOAWAY.
 *
 * A UDP socket that is bound to one address takes no datagrams but those that have arrived; one that is bound to every
 * address cannot be steered around, and is closed when it has read what waits. The report says so.
 *
 * Without privileges: a program of the group is replaced (twice, and taken away), so a member that had attached one of
 * its own has to do so again. One drain of a group at a time: others wait. The socket leaves the group for every process
 * that holds it.
 *
 * Rejected: `ERR_SERVER_NOT_RUNNING`, `ERR_SOCKET_DGRAM_NOT_RUNNING`; the reason of `signal`; `ERR_INVALID_ARG_TYPE`,
 * `ERR_OUT_OF_RANGE` and `ERR_REUSEPORT_UNKNOWN_OPTION` for what it is given. What could not be done stands in the report instead.
 *
 * Lossless on Linux 4.6 and later; elsewhere it closes as `server.close()` does, and says so. `socket(7)`, `tcp(7)`.
 */
export function drain(target: ListenableServer | BindableSocket, options: DrainOptions = {}): Promise<DrainReport> {
  try {
    const isDatagram = isDatagramSocket(target)
    if (!isDatagram) assertServer(target)
    const times = parseDrainOptions(options)
    const known = draining.get(target)
    if (known !== undefined) return known
    const report = isDatagram ? drainDatagram(target, times) : run(target, times)
    draining.set(target, report)
    const forget = (): void => {
      draining.delete(target)
    }
    // A server may listen again; one whose drain was aborted listens still.
    target.once('listening', forget)
    report.catch(forget)
    return report
  } catch (error) {
    return Promise.reject(error)
  }
}

async function run(server: ListenableServer, times: DrainTimes): Promise<DrainReport> {
  if (!server.listening) throw new ServerNotRunningError()
  const started = performance.now()
  const connections = new ServerConnections(server)
  const closed = new Promise<void>((resolve) => {
    server.once('close', () => resolve())
  })
  const leaver: Leaver = {
    isListening: () => server.listening,
    onSteered: () => connections.announceEnd(),
    onAccepted: (tell) => connections.onAccepted(tell),
    stopListening: () => {
      stopKeeping(server)
      if (server.listening) connections.stopListening()
    },
  }
  let departure: Departure
  let open: number
  let destroyed: number
  try {
    departure = await leaveGroup(server, leaver, times)
    open = await connections.count()
    destroyed = await end(connections, closed, times)
  } finally {
    // The server may listen again, or go on listening.
    connections.forget()
  }
  const losses = destroyed > 0 ? [...departure.losses, `${destroyed} connections were destroyed`] : departure.losses
  const report: DrainReport = {
    lossless: losses.length === 0,
    method: departure.method,
    reason: [departure.reason, ...losses].filter(Boolean).join('; ') || undefined,
    acceptedWhileDraining: connections.accepted,
    handshakesAwaited: departure.handshakesAwaited,
    connectionsClosed: open - destroyed,
    connectionsDestroyed: destroyed,
    duration: performance.now() - started,
  }
  publishDrain(() => ({ target: server, report }))
  return report
}

/** By closing it where there is nothing better. */
async function leaveGroup(server: ListenableServer, leaver: Leaver, times: DrainTimes): Promise<Departure> {
  if (times.handOver) {
    leaver.onSteered()
    leaver.stopListening()
    return { method: 'hand-over', handshakesAwaited: 0, losses: [], reason: undefined }
  }
  const state = loadAddon()
  try {
    if (!state.loaded) throw new ReusePortSteeringError(`the native addon is missing: ${state.reason}`)
    return await depart(memberOf(state.addon, 'drain', server), leaver, times)
  } catch (error) {
    if (!(error instanceof ReusePortSteeringError || error instanceof ReusePortInspectionError)) throw error
    leaver.onSteered()
    leaver.stopListening()
    const losses = ['what waited in its queue']
    return { method: 'close', handshakesAwaited: 0, losses, reason: error.message }
  }
}

/** Step 6. @returns how many connections were destroyed. */
async function end(connections: ServerConnections, closed: Promise<void>, times: DrainTimes): Promise<number> {
  const deadline = new Deadline(times.connectionTimeout, times.signal)
  if (connections.mayBeIdle) {
    const moment = new Deadline(Math.min(times.idleTimeout, times.connectionTimeout), times.signal)
    if ((await moment.race(closed)) !== 'late') return 0
    connections.closeIdle()
  }
  if ((await deadline.race(closed)) !== 'late') return 0
  const left = await connections.count()
  connections.destroyAll()
  await Promise.race([closed, pause(DESTROYING)])
  return left
}

/** ms for 'close' after the last connection was destroyed. */
const DESTROYING = 1000
