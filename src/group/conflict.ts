// Pure: which socket prevents another one from being bound, as far as the kernel's description of the sockets shows it.
import type { Transport } from '../common/transport.js'

/**
 * Why a port cannot be bound (`EADDRINUSE`):
 *
 * - `'other-user'`: a socket of another user holds the port; the kernel shares a port within one user only, root
 *   included.
 * - `'not-shared'`: a socket of this user holds the port and was bound without SO_REUSEPORT.
 * - `'more-specific'`: such a socket holds the port at one address, and the call asked for all addresses.
 * - `'not-listening'`: such a socket holds the port and does not listen: the kernel gave the port to a client, or a
 *   server is starting.
 * - `'unknown'`: the kernel lists no socket that conflicts.
 */
export type AddressInUseReason = 'other-user' | 'not-shared' | 'more-specific' | 'not-listening' | 'unknown'

/** @internal */
export interface WantedAddress {
  readonly protocol: Transport
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  readonly ipv6Only: boolean
}

/** @internal */
export interface HoldingSocket {
  readonly family: 'IPv4' | 'IPv6'
  readonly address: string
  readonly ipv6Only: boolean | null
  readonly uid: number
  readonly state: 'listening' | 'bound' | 'connected'
}

/** @internal */
export interface Conflict<S extends HoldingSocket> {
  readonly reason: AddressInUseReason
  readonly socket: S | undefined
}

/** @internal @param sockets All sockets on the port, of both families. */
export function findConflict<S extends HoldingSocket>(
  sockets: readonly S[],
  wanted: WantedAddress,
  uid: number | undefined,
): Conflict<S> {
  const overlapping = sockets.filter((socket) => overlaps(socket, wanted))
  const serving = overlapping.filter(({ state }) => wanted.protocol === 'udp' || state === 'listening')
  const foreign = serving.find((socket) => socket.uid !== uid) ?? overlapping.find((socket) => socket.uid !== uid)
  if (foreign !== undefined) return { reason: 'other-user', socket: foreign }

  const same = serving.find(({ address }) => address === wanted.address) ?? serving.find(isUnspecified)
  if (same !== undefined) return { reason: 'not-shared', socket: same }
  if (serving[0] !== undefined) return { reason: 'more-specific', socket: serving[0] }
  if (overlapping[0] !== undefined) return { reason: 'not-listening', socket: overlapping[0] }
  return { reason: 'unknown', socket: undefined }
}

function overlaps(socket: HoldingSocket, wanted: WantedAddress): boolean {
  if (socket.family === wanted.family) {
    return socket.address === wanted.address || isUnspecified(socket) || isUnspecified(wanted)
  }
  // A socket at the unspecified IPv6 address also takes the IPv4 addresses, unless IPV6_V6ONLY is set (ipv6(7)).
  const six = socket.family === 'IPv6' ? socket : wanted
  return isUnspecified(six) && six.ipv6Only !== true
}

function isUnspecified({ address }: { readonly address: string }): boolean {
  return address === '::' || address === '0.0.0.0'
}
