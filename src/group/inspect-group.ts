// What `inspectGroup` and `inspectGroups` do.
import { fstatSync } from 'node:fs'
import { isIP, SocketAddress } from 'node:net'
import process from 'node:process'
import { BadPortError, InvalidArgumentTypeError, InvalidArgumentValueError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import { assertObject, isPort } from '../common/validation.js'
import { requireAddon } from '../native/require-addon.js'
import { serverDescriptor } from '../node/adopt.js'
import { datagramDescriptor } from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { isDatagramSocket } from '../node/datagram-socket.js'
import { lookupHost } from '../node/lookup.js'
import type { ListenableServer } from '../node/server.js'
import { isServer } from '../node/server.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import type { Group, GroupFilter, GroupTarget } from './group-types.js'
import { readGroups, socketsOn } from './reader.js'
import { groupKey } from './rows.js'
import type { BoundSocket } from './socket-table.js'

export async function inspectGroup(target: ListenableServer | BindableSocket | GroupTarget | number): Promise<Group> {
  if (isServer(target)) return groupOfDescriptor('tcp', target, serverDescriptor(target))
  if (isDatagramSocket(target)) return groupOfDescriptor('udp', target, datagramDescriptor(target))
  const { port, host, protocol } = parseTarget(target)
  const addresses = host === undefined ? ['::', '0.0.0.0'] : [await resolve(host)]
  const sockets = socketsOn(requireAddon('inspectGroup'), 'inspectGroup', protocol, port)
  for (const address of addresses) {
    const there = sockets.filter((socket) => socket.address === address)
    const chosen = there.find(({ uid }) => uid === process.getuid?.()) ?? there[0]
    if (chosen !== undefined) return groupWith(chosen, there)
  }
  return emptyGroup(protocol, addresses[0] ?? '::', port)
}

export async function inspectGroups(filter: GroupFilter): Promise<readonly Group[]> {
  const { ports, protocols } = parseFilter(filter)
  const addon = requireAddon('inspectGroups')
  const sockets = protocols.flatMap((protocol) =>
    ports.flatMap((port) => socketsOn(addon, 'inspectGroups', protocol, port)),
  )
  return readGroups(addon, 'inspectGroups', sockets)
}

function groupOfDescriptor(protocol: Transport, target: object, fd: number | undefined): Group {
  const inode = fd === undefined ? undefined : fstatSync(fd).ino
  const sockets =
    fd === undefined ? [] : socketsOn(requireAddon('inspectGroup'), 'inspectGroup', protocol, portOf(target))
  const own = sockets.find((socket) => socket.inode === inode)
  if (own !== undefined) return groupWith(own, sockets)
  throw new InvalidArgumentValueError('target', target, 'must be bound to a port, with a descriptor of its own')
}

function portOf(target: object): number {
  const address: unknown = (target as ListenableServer).address()
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0
}

function groupWith(chosen: BoundSocket, sockets: readonly BoundSocket[]): Group {
  const members = sockets.filter((socket) => groupKey(socket) === groupKey(chosen))
  const [group] = readGroups(requireAddon('inspectGroup'), 'inspectGroup', members)
  return group as Group
}

function emptyGroup(protocol: Transport, address: string, port: number): Group {
  const family = isIP(address) === 4 ? 'IPv4' : 'IPv6'
  return { protocol, family, address, port, ipv6Only: undefined, device: undefined, uid: undefined, members: [] }
}

/** The address as the kernel writes it, without a zone. */
function canonical(address: string): string {
  const [numeric = ''] = address.split('%', 1)
  return isIP(numeric) === 6 ? new SocketAddress({ address: numeric, family: 'ipv6' }).address : numeric
}

function resolve(host: string): Promise<string> {
  if (isIP(host) !== 0) return Promise.resolve(canonical(host))
  return new Promise((found, failed) => {
    lookupHost(host, (error, address) => {
      if (error) failed(error)
      else found(canonical(address?.address ?? '::'))
    })
  })
}

function parseTarget(target: unknown): { port: number; host: string | undefined; protocol: Transport } {
  if (typeof target === 'number') return { port: toPort('target', target), host: undefined, protocol: 'tcp' }
  assertObject('target', target)
  refuseUnknownOptions(target, ['port', 'host', 'protocol'])
  const { port, host, protocol } = target as Partial<Record<keyof GroupTarget, unknown>>
  if (host !== undefined && typeof host !== 'string') {
    throw new InvalidArgumentTypeError('options.host', 'of type string', host)
  }
  return { port: toPort('options.port', port), host: host || undefined, protocol: toProtocol(protocol) ?? 'tcp' }
}

function parseFilter(filter: unknown): { ports: readonly number[]; protocols: readonly Transport[] } {
  assertObject('filter', filter)
  refuseUnknownOptions(filter, ['ports', 'protocol'])
  const { ports, protocol } = filter as Partial<Record<keyof GroupFilter, unknown>>
  if (ports !== undefined && !Array.isArray(ports)) {
    throw new InvalidArgumentTypeError('options.ports', 'an array of ports', ports)
  }
  const one = toProtocol(protocol)
  return {
    // The addon takes 0 for every port.
    ports: ports === undefined ? [0] : [...new Set(ports.map((port) => toPort('options.ports', port)))],
    protocols: one === undefined ? ['tcp', 'udp'] : [one],
  }
}

function toPort(name: string, port: unknown): number {
  if (typeof port === 'number' && isPort(port) && port !== 0) return port
  throw new BadPortError(name, port, 0)
}

function toProtocol(protocol: unknown): Transport | undefined {
  if (protocol === undefined || protocol === 'tcp' || protocol === 'udp') return protocol
  throw new InvalidArgumentValueError('options.protocol', protocol, "must be one of: 'tcp', 'udp'")
}
