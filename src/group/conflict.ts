// Pure: which socket keeps another one from being bound, as far as what the kernel tells of it goes.
import type { Transport } from '../common/transport.js'

/**
 * Why a port cannot be had (`EADDRINUSE`):
 *
 * - `'other-user'`: a socket of another user has it; the kernel shares a port within one user only, root included.
 * - `'not-shared'`: a socket of this user has it and was bound without SO_REUSEPORT.
 * - `'more-specific'`: such a socket has it at one address, and all addresses were asked for.
 * - `'not-listening'`: such a socket has it and does not listen: a client that was given the port, a server that starts.
 * - `'unknown'`: no such socket can be seen.
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

/** @internal @param sockets All of the port, of both families. */
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
  // An unspecified IPv6 address takes the IPv4 ones as well, unless it was told not to.
  const six = socket.family === 'IPv6' ? socket : wanted
  return isUnspecified(six) && six.ipv6Only !== true
}

function isUnspecified({ address }: { readonly address: string }): boolean {
  return address === '::' || address === '0.0.0.0'
}
