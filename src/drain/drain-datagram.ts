import { ReusePortSteeringError, SocketNotRunningError } from '../common/errors.js'
import { Deadline, nextTurn, pause } from '../common/waiting.js'
import { ReusePortInspectionError } from '../group/group-errors.js'
import { type Member, membersNow, memberWith } from '../group/member.js'
import { readSocketTable } from '../group/socket-table.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { datagramDescriptor, isClosed } from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { publishDrain } from './channel.js'
import type { DrainTimes } from './drain-options.js'
import type { DrainMethod, DrainReport } from './drain-types.js'
import { textOf } from './leaving-listener.js'
import { reasonOf } from './report.js'

/** ms for the process to read the datagrams in the receive buffer. */
const READ_TIMEOUT = 2000

interface Way {
  readonly method: DrainMethod
  readonly reason: string | undefined
  readonly losses: readonly string[]
}

/** Drains a UDP socket. It has no connections to wait for. */
export async function drainDatagram(socket: BindableSocket, times: DrainTimes): Promise<DrainReport> {
  if (isClosed(socket)) throw new SocketNotRunningError()
  const started = performance.now()
  let received = 0
  const count = (): void => {
    received++
  }
  socket.on('message', count)
  let way: Way
  try {
    way = await leave(socket, times)
  } finally {
    socket.removeListener('message', count)
  }
  if (!isClosed(socket)) socket.close()
  const report: DrainReport = {
    lossless: way.losses.length === 0,
    method: way.method,
    reason: reasonOf(way.losses, way.reason),
    acceptedWhileDraining: received,
    handshakesAwaited: 0,
    connectionsClosed: 0,
    connectionsDestroyed: 0,
    connectionsLeft: 0,
    duration: performance.now() - started,
  }
  publishDrain(() => ({ target: socket, report }))
  return report
}

const CLOSED_ONLY = 'datagrams in the receive buffer, and those that arrived while the socket closed, may be lost'

/**
 * Leaves the group, where that can be, and has the program read what waits. The program closes the socket.
 *
 * @param isSteered Whether a program of the group already sends new datagrams elsewhere.
 */
export async function leaveDatagramGroup(
  socket: BindableSocket,
  grace: number,
  isSteered = false,
): Promise<Pick<DrainReport, 'lossless' | 'reason'>> {
  const { losses, reason } = await leave(socket, { handOver: false, grace, signal: undefined }, isSteered)
  return { lossless: losses.length === 0, reason: reasonOf(losses, reason) }
}

async function leave(
  socket: BindableSocket,
  times: Pick<DrainTimes, 'handOver' | 'grace' | 'signal'>,
  isSteered = false,
): Promise<Way> {
  if (times.handOver) return { method: 'hand-over', reason: undefined, losses: [] }
  let member: Member
  try {
    member = memberOf(socket)
  } catch (error) {
    if (!(error instanceof ReusePortSteeringError || error instanceof ReusePortInspectionError)) throw error
    return { method: 'close', reason: error.message, losses: [CLOSED_ONLY] }
  }
  new Deadline(0, times.signal).assertNotAborted()
  // From here on the drain cannot be aborted: a UDP socket may lose its port when it is disconnected.
  const steered: Way = isSteered ? { method: 'steer', reason: undefined, losses: [] } : steerAway(member)
  if (steered.method === 'steer') await pause(times.grace)
  const unread = await readAll(member, socket)
  return unread === undefined ? steered : { ...steered, losses: [...steered.losses, unread] }
}

function memberOf(socket: BindableSocket): Member {
  const state = loadAddon()
  if (!state.loaded) throw new ReusePortSteeringError(`the native addon is missing: ${state.reason}`)
  const fd = datagramDescriptor(socket)
  const { port } = socket.address() as { readonly port: number }
  if (fd === undefined) throw new ReusePortSteeringError('drain cannot find the descriptor of the dgram socket')
  return memberWith(state.addon, 'drain', fd, port, 'udp')
}

/** Connects the socket to itself: when the kernel chooses a member, it passes over a connected socket (Linux 5.4). */
function steerAway(member: Member): Way {
  const { addon, fd, socket } = member
  if (membersNow(member, 'drain').length < 2) {
    return { method: 'close', reason: 'the group has no other member to steer to', losses: [] }
  }
  if (UNSPECIFIED.includes(socket.address)) {
    // Connected, a socket that is bound to every address would send its answers from another address.
    const losses = [`${LATE}: drain cannot steer around a UDP socket that is bound to every address`]
    return { method: 'close', reason: undefined, losses }
  }
  const family = socket.family === 'IPv4' ? 4 : 6
  const address = socket.device === 0 ? socket.address : `${socket.address}%${socket.device}`
  const failure = addon.connectDatagram(fd, family, address, socket.port)
  if (failure === undefined) return { method: 'steer', reason: undefined, losses: [] }
  return { method: 'close', reason: undefined, losses: [`${LATE} (${textOf(failure)})`] }
}

const LATE = 'datagrams that arrived while the socket closed may be lost'

const UNSPECIFIED: readonly string[] = ['0.0.0.0', '::']

/** Waits until the process has read the receive buffer. @returns the loss, where datagrams are left in it. */
async function readAll(
  { addon, socket: { inode, port } }: Member,
  socket: BindableSocket,
): Promise<string | undefined> {
  const deadline = new Deadline(READ_TIMEOUT, undefined)
  for (;;) {
    const bytes = waiting(addon, inode, port)
    if (bytes === 0 || isClosed(socket)) return undefined
    if (deadline.left() === 0) return `datagrams that the process had not read are lost (${bytes} bytes)`
    await nextTurn()
  }
}

/** Bytes in the receive buffer, as the kernel counts them. A connected UDP socket is in the state 'established'. */
function waiting(addon: Addon, inode: number, port: number): number {
  const sockets = readSocketTable(addon, 'drain', 'udp', ['closed', 'established'], port)
  return sockets.find((socket) => socket.inode === inode)?.queued ?? 0
}
