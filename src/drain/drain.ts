// Room: a listener leaves its group without losing a connection. It may import listen and every room below.
import { fstatSync } from 'node:fs'
import { ReusePortSteeringError, ServerNotRunningError } from '../common/errors.js'
import { ReusePortInspectionError } from '../group/group-errors.js'
import { otherHolder } from '../group/holders.js'
import { memberOf } from '../group/member.js'
import { supervision } from '../listen/supervision.js'
import { acceptQueueOf } from '../native/accept-queue.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { serverDescriptor } from '../node/adopt.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { isDatagramSocket } from '../node/datagram-socket.js'
import { hearEvents } from '../node/emit-hook.js'
import type { ListenableServer } from '../node/server.js'
import { assertServer } from '../node/server.js'
import { ServerConnections } from '../node/server-connections.js'
import { onceClosed, releaseClose } from '../node/withheld-close.js'
import { stopKeeping } from '../steering/known-keepers.js'
import { publishDrain } from './channel.js'
import { type Departure, depart, departAlone } from './departure.js'
import { drainDatagram } from './drain-datagram.js'
import { type DrainTimes, parseDrainOptions } from './drain-options.js'
import type { DrainOptions, DrainReport } from './drain-types.js'
import { endConnections, type Over } from './ending.js'
import type { Leaver } from './leaver.js'
import type { ListeningSocket } from './leaving-listener.js'
import { toReport } from './report.js'

interface Drain {
  readonly report: Promise<DrainReport>
  /** Whether the server has stopped listening. */
  readonly hasLeft: () => boolean
}

const draining = new WeakMap<ListenableServer | BindableSocket, Drain>()

/**
 * Takes a server out of the group that shares its port and closes it, without losing a connection: new connections go
 * to the other members, the server accepts connections that have begun, and accepted connections may finish.
 *
 * ```js
 * process.once('SIGTERM', async () => {
 *   const { lossless, reason } = await drain(server)
 *   process.exit(0)
 * })
 * ```
 *
 * Takes every server that listens on a port: of `listenReusePort`, of Node's `reusePort`, of a cluster worker or of a
 * worker thread. A second call for the same server returns the same promise, until the server listens again. From the
 * beginning of the drain the last response of each HTTP/1 connection says `Connection: close`, and HTTP/2 sessions get a
 * GOAWAY. WebSockets get a Close frame (1001), and answers of the type text/event-stream end, one after the other.
 *
 * A UDP socket that is bound to one address gets no new datagrams, reads those that have arrived, and closes. A UDP
 * socket that is bound to every address cannot be steered around: it reads its receive buffer and closes, and the
 * report says that datagrams may be lost.
 *
 * A drain needs no privileges. It replaces the program of the group twice (three times for several drains together) and
 * then detaches it, so a member that had attached a program of its own has to attach it again. Drains of a group that
 * begin together, in one process or in many, leave together; one that begins later waits for the next departure. A
 * socket that another process holds too stays in its group: the drain hands it over, as `handOver` does.
 *
 * Rejected: `ERR_SERVER_NOT_RUNNING`, `ERR_SOCKET_DGRAM_NOT_RUNNING`; the reason of `signal`; `ERR_INVALID_ARG_TYPE`,
 * `ERR_OUT_OF_RANGE` and `ERR_REUSEPORT_UNKNOWN_OPTION` for invalid arguments. The report describes any other step that
 * failed.
 *
 * Lossless on Linux, by steering on 5.3 and later. Before that, and where a seccomp filter refuses programs, the
 * listener answers nobody new while it finishes what has begun. On other systems `drain` closes the server as
 * `server.close()` does, and the report says so. `socket(7)`, `tcp(7)`.
 */
export function drain(target: ListenableServer | BindableSocket, options: DrainOptions = {}): Promise<DrainReport> {
  try {
    const isDatagram = isDatagramSocket(target)
    if (!isDatagram) assertServer(target)
    const times = parseDrainOptions(options)
    const known = draining.get(target)
    // A server that has left its group and listens again is drained again.
    if (known !== undefined && !(known.hasLeft() && !isDatagram && target.listening)) {
      if (!isDatagram) releaseClose(target)
      return known.report
    }
    let hasLeft = false
    const onLeft = (): void => {
      hasLeft = true
    }
    const report = isDatagram ? drainDatagram(target, times) : run(target, times, onLeft)
    const drain: Drain = { report, hasLeft: () => hasLeft }
    draining.set(target, drain)
    // A server whose drain was aborted still listens.
    report.catch(() => {
      if (draining.get(target) === drain) draining.delete(target)
    })
    return report
  } catch (error) {
    return Promise.reject(error)
  }
}

async function run(server: ListenableServer, times: DrainTimes, onLeft: () => void): Promise<DrainReport> {
  if (!server.listening) throw new ServerNotRunningError()
  const started = performance.now()
  const connections = new ServerConnections(server)
  let hasLeft = false
  let stopWaiting = (): void => {}
  // A server that listens again goes on with its connections.
  const over = new Promise<Over>((resolve) => {
    const stops = [
      onceClosed(server, () => resolve('closed')),
      onListening(server, () => hasLeft && resolve('listens again')),
    ]
    stopWaiting = () => {
      for (const stop of stops) stop()
    }
  })
  const leaver: Leaver = {
    isListening: () => server.listening,
    waitingBefore: waitingFor(server),
    accepted: () => connections.accepted + connections.dropped,
    onLeaving: () => connections.announceEnd(),
    onAccepted: (tell) => connections.onAccepted(tell),
    stopListening: () => {
      stopKeeping(server)
      if (server.listening) connections.stopListening()
      hasLeft = true
      onLeft()
    },
  }
  try {
    const departure = await leaveGroup(server, leaver, times)
    const ending = await endConnections(connections, over, times)
    const report = toReport({
      departure,
      ending,
      accepted: connections.accepted,
      duration: performance.now() - started,
    })
    publishDrain(() => ({ target: server, report }))
    return report
  } finally {
    stopWaiting()
    // The server may listen again, or still listen after an abort.
    connections.forget()
  }
}

function onListening(server: ListenableServer, tell: () => void): () => void {
  return hearEvents(server, (event) => {
    if (event === 'listening') tell()
    return undefined
  })
}

/** Connections in the accept queue of the server; 0 where that is not known. */
function waitingFor(server: ListenableServer): number {
  const fd = serverDescriptor(server)
  return (fd === undefined ? undefined : acceptQueueOf(fd)?.waiting) ?? 0
}

/** Takes the server out of its group; where the addon or the kernel offers no way, only closes the listener. */
async function leaveGroup(server: ListenableServer, leaver: Leaver, times: DrainTimes): Promise<Departure> {
  const alone = supervision()?.leaving?.(server, times.handOver)
  if (alone !== undefined) await alone
  if (times.handOver) return handOver(leaver, undefined)
  const state = loadAddon()
  if (!state.loaded)
    return onlyClose(leaver, new ReusePortSteeringError(`the native addon is missing: ${state.reason}`).message)
  try {
    const member = memberOf(state.addon, 'drain', server)
    const other = await otherHolder(state.addon, member.socket.inode, supervision()?.keeper)
    // Leaving the group would end the socket for that process too, which would be told of it again and again (epoll(7)).
    if (other !== undefined) return handOver(leaver, `process ${other} holds the socket too and keeps it`)
    return await depart(member, leaver, times)
  } catch (error) {
    if (!(error instanceof ReusePortSteeringError || error instanceof ReusePortInspectionError)) throw error
    const socket = listeningSocketOf(state.addon, server)
    if (socket === undefined) return onlyClose(leaver, error.message)
    const other = await otherHolder(state.addon, fstatSync(socket.fd).ino, supervision()?.keeper)
    if (other !== undefined) return handOver(leaver, `process ${other} holds the socket too and keeps it`)
    if (!leaver.isListening()) return onlyClose(leaver, error.message)
    return await departAlone(socket, leaver, times, error.message)
  }
}

function onlyClose(leaver: Leaver, reason: string): Departure {
  leaver.onLeaving()
  leaver.stopListening()
  const losses = ['connections in the accept queue may be lost']
  return { method: 'close', handshakesAwaited: 0, losses, reason }
}

/** The server's own listening socket on a port, as far as that is known without asking the kernel. */
function listeningSocketOf(addon: Addon, server: ListenableServer): ListeningSocket | undefined {
  const fd = serverDescriptor(server)
  const bound = server.address() as { readonly port?: number; readonly address: string; readonly family: string } | null
  if (fd === undefined || bound === null || typeof bound.port !== 'number') return undefined
  const { port, address, family } = bound
  return { addon, fd, socket: { port, address, family: family === 'IPv6' ? 'IPv6' : 'IPv4' } }
}

/** Only this process stops. The socket stays in its group, with its accept queue. */
function handOver(leaver: Leaver, reason: string | undefined): Departure {
  leaver.onLeaving()
  leaver.stopListening()
  return { method: 'hand-over', handshakesAwaited: 0, losses: [], reason }
}
