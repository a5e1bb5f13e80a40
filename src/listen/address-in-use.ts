import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import {
  type AddressInUseReason,
  type Conflict,
  findConflict,
  type HoldingSocket,
  type WantedAddress,
} from '../group/conflict.js'
import { seeProcesses } from '../group/processes.js'
import { type BoundSocket, readSocketTable, STATES, type StateName } from '../group/socket-table.js'
import type { Addon } from '../native/addon-contract.js'
import { explainDenied } from './low-port.js'

/** The socket that has the port, with its user and process. A value that this process may not see is undefined. */
export interface AddressHolder {
  readonly uid: number
  readonly user: string | undefined
  readonly pid: number | undefined
  readonly command: string | undefined
  readonly state: 'listening' | 'bound' | 'connected'
  readonly address: string
}

/** The keys that `EADDRINUSE` has on Linux after the keys of Node. */
export interface AddressInUse {
  /** Undefined where the kernel lists no socket that conflicts. */
  readonly holder: AddressHolder | undefined
  /** Why the port cannot be shared with the holder. */
  readonly reason: AddressInUseReason
  /** One sentence that says what to do. */
  readonly hint: string
}

/** @internal Adds to an `EADDRINUSE` which process has the port and why it is not shared, and to `EACCES` what it takes. */
export function explain<E extends Error & { readonly errno: number }>(
  error: E,
  addon: Addon,
  wanted: WantedAddress & { readonly port: number },
): E {
  const code = getSystemErrorName(error.errno)
  if (code === 'EACCES') return explainDenied(error, wanted.port)
  if (code !== 'EADDRINUSE' || process.platform !== 'linux') return error
  const { reason, socket } = conflictOf(addon, wanted)
  const holder = socket === undefined ? undefined : toHolder(addon, socket)
  return Object.assign(error, { holder, reason, hint: hintFor(reason, holder) } satisfies AddressInUse)
}

type PortSocket = HoldingSocket & { readonly socket: BoundSocket }

/**
 * Every state but `closed`, which is a state of UDP sockets here. `STATES` has no TIME_WAIT: a socket in that state
 * does not keep a socket with SO_REUSEADDR from binding.
 */
const TCP_STATES = (Object.keys(STATES) as StateName[]).filter((name) => name !== 'closed')
const UDP_STATES: readonly StateName[] = ['closed', 'established']

function conflictOf(addon: Addon, wanted: WantedAddress & { readonly port: number }): Conflict<PortSocket> {
  try {
    const states = wanted.protocol === 'tcp' ? TCP_STATES : UDP_STATES
    const table = readSocketTable(addon, 'EADDRINUSE', wanted.protocol, states, wanted.port)
    const sockets = table.map((socket) => ({
      family: socket.family,
      address: socket.address,
      ipv6Only: socket.ipv6Only,
      uid: socket.uid,
      state: stateOf(socket),
      socket,
    }))
    return findConflict(sockets, wanted, process.geteuid?.())
  } catch {
    // The caller needs the EADDRINUSE, with or without a reason.
    return { reason: 'unknown', socket: undefined }
  }
}

function stateOf({ protocol, state }: BoundSocket): HoldingSocket['state'] {
  if (protocol === 'tcp' && state === STATES.listening) return 'listening'
  // The kernel reports a TCP socket that is only bound as `closed`, although the request names the state `boundOnly`.
  return state === STATES.closed ? 'bound' : 'connected'
}

function toHolder(addon: Addon, { address, state, uid, socket }: PortSocket): AddressHolder {
  const processes = seeProcesses(addon, [socket], () => new Float64Array())
  const pid = processes.holder(socket.inode)
  return {
    uid,
    user: processes.user(uid),
    pid,
    command: pid === undefined ? undefined : processes.command(pid),
    state,
    address,
  }
}

function hintFor(reason: AddressInUseReason, holder: AddressHolder | undefined): string {
  const who = describe(holder)
  switch (reason) {
    case 'other-user':
      return `${who} has the port, and the kernel shares a port only within one user: run as that user, or stop that process`
    case 'not-shared':
      return `${who} has the port without SO_REUSEPORT, which every socket of a shared port must set before bind: let that process share the port too, or stop it`
    case 'more-specific':
      return `${who} has the port at ${holder?.address} without SO_REUSEPORT: bind to one other address instead of all addresses, or stop that process`
    case 'not-listening':
      return `${who} has the port and does not listen: wait until that process closes its socket, or choose a port outside net.ipv4.ip_local_port_range`
    case 'unknown':
      return 'this process cannot see the socket that has the port: run `ss -ap` as root in the network namespace of this process'
  }
}

function describe(holder: AddressHolder | undefined): string {
  if (holder === undefined) return 'A socket'
  const owner = holder.user === undefined ? `uid ${holder.uid}` : `user ${holder.user}`
  if (holder.pid === undefined) return `A process of ${owner}`
  return `Process ${holder.pid} of ${owner} (${holder.command ?? 'unknown'})`
}
