import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { Addon, Connections, SocketRow } from '../native/addon-contract.js'
import { ReusePortInspectionError } from './group-errors.js'

/** A socket of this network namespace. */
export interface BoundSocket extends SocketRow {
  readonly protocol: Transport
  readonly family: 'IPv4' | 'IPv6'
}

/** States as the kernel numbers them (tcp_states.h). A bound UDP socket without a peer is in the state `closed`. */
export const STATES = {
  established: 1,
  synSent: 2,
  synReceived: 3,
  finWait1: 4,
  finWait2: 5,
  closed: 7,
  closeWait: 8,
  lastAck: 9,
  listening: 10,
  closing: 11,
  /** Linux 6.8. */
  boundOnly: 13,
} as const

export type StateName = keyof typeof STATES

/**
 * The sockets of both families in these states, on one port or on every port (0).
 *
 * @throws ReusePortInspectionError
 */
export function readSocketTable(
  addon: Addon,
  neededBy: string,
  protocol: Transport,
  states: readonly StateName[],
  port: number,
): readonly BoundSocket[] {
  const mask = states.reduce((bits, name) => bits | (1 << STATES[name]), 0)
  return [...dump(addon, neededBy, protocol, 4, mask, port), ...dump(addon, neededBy, protocol, 6, mask, port)]
}

function dump(
  addon: Addon,
  neededBy: string,
  protocol: Transport,
  family: 4 | 6,
  states: number,
  port: number,
): readonly BoundSocket[] {
  const rows = addon.dumpSockets({ transport: protocol, family, states, port })
  if ('errno' in rows) {
    const code = getSystemErrorName(rows.errno)
    // This kernel has no IPv6.
    if (family === 6 && (code === 'ENOENT' || code === 'EAFNOSUPPORT')) return []
    throw new ReusePortInspectionError(neededBy, describe(rows))
  }
  // Linux ignores the port for sockets in the state `boundOnly` and gives them all (net/ipv4/inet_diag.c, 6.18).
  const asked = rows.filter((row) => port === 0 || row.port === port)
  return asked.map((row) => ({ ...row, protocol, family: family === 4 ? 'IPv4' : 'IPv6' }))
}

const UNSPECIFIED: readonly string[] = ['0.0.0.0', '::']

/**
 * Gives the inodes of the established connections to an address and port. Reads the kernel's table once for each family
 * if there are many ports, and otherwise once for each family and port.
 *
 * @throws ReusePortInspectionError
 */
export function connectionReader(
  addon: Addon,
  neededBy: string,
  ports: ReadonlySet<number>,
): (to: { family: 'IPv4' | 'IPv6'; address: string; port: number }) => Float64Array {
  const dumps = new Map<string, ReadonlyMap<number, readonly Connection[]>>()
  const read = (family: 'IPv4' | 'IPv6', port: number): ReadonlyMap<number, readonly Connection[]> => {
    const key = `${family} ${port}`
    let connections = dumps.get(key)
    if (connections === undefined) {
      const request = {
        transport: 'tcp',
        family: family === 'IPv4' ? 4 : 6,
        states: 1 << STATES.established,
        port,
      } as const
      const read = addon.dumpConnections(request)
      if ('errno' in read) throw new ReusePortInspectionError(neededBy, describe(read))
      connections = byPort(read)
      dumps.set(key, connections)
    }
    return connections
  }
  return ({ family, address, port }) => {
    const there = read(family, ports.size > FEW ? 0 : port).get(port) ?? []
    const isWhole = UNSPECIFIED.includes(address)
    return Float64Array.from(there.filter((one) => isWhole || one.address === address).map(({ inode }) => inode))
  }
}

interface Connection {
  readonly inode: number
  readonly address: string | undefined
}

function byPort({ addresses, rows }: Connections): ReadonlyMap<number, readonly Connection[]> {
  const found = new Map<number, Connection[]>()
  for (let index = 0; index < rows.length; index += 3) {
    const [inode = 0, port = 0, addressIndex = 0] = rows.subarray(index, index + 3)
    // Inode 0 is a connection that no process has accepted yet.
    if (inode === 0) continue
    const connection = { inode, address: addresses[addressIndex] }
    const there = found.get(port)
    if (there) there.push(connection)
    else found.set(port, [connection])
  }
  return found
}

/** Up to this many ports are read one by one. Each read walks the whole table (about 1 ms); a read of all copies it. */
const FEW = 8

function describe({ errno, syscall }: SystemFailure): string {
  return `${syscall} ${getSystemErrorName(errno)}`
}
