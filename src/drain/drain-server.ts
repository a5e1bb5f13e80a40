// What a drain of a server does, and waits for.
import { fstatSync } from 'node:fs'
import { ReusePortSteeringError } from '../common/errors.js'
import { ReusePortInspectionError } from '../group/group-errors.js'
import { otherHolder } from '../group/holders.js'
import { memberOf } from '../group/member.js'
import { supervision } from '../listen/supervision.js'
import { acceptQueueOf } from '../native/accept-queue.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { serverDescriptor } from '../node/adopt.js'
import { hearEvents } from '../node/emit-hook.js'
import type { ListenableServer } from '../node/server.js'
import { ServerConnections } from '../node/server-connections.js'
import { onceClosed } from '../node/withheld-close.js'
import { stopKeeping } from '../steering/known-keepers.js'
import { publishDrain } from './channel.js'
import { type Departure, depart, departAlone } from './departure.js'
import type { DrainTimes } from './drain-options.js'
import type { DrainReport } from './drain-types.js'
import { endConnections, type Over } from './ending.js'
import type { Leaver } from './leaver.js'
import type { ListeningSocket } from './leaving-listener.js'
import { toReport } from './report.js'

export { drainDatagram } from './drain-datagram.js'

/** @param onLeft Called when the server has stopped listening. */
export async function drainServer(
  server: ListenableServer,
  times: DrainTimes,
  onLeft: () => void,
): Promise<DrainReport> {
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
