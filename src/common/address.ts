// Pure: the addresses that sockets are bound to.
import { isIPv6 } from 'node:net'

/** @internal A numeric address to bind to. An IPv6 address may carry a zone (`fe80::1%eth0`). */
export interface BindAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** What `server.address()` returns for TCP. */
export interface SocketAddressInfo {
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
}

/** @internal As in a URL: an IPv6 address has brackets, so that its colons are told from that of the port. */
export function addressText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** @internal Where no host is given, Node tries `::` first and then `0.0.0.0`. */
export const UNSPECIFIED_IPV6: BindAddress = { address: '::', family: 6 }
/** @internal */
export const UNSPECIFIED_IPV4: BindAddress = { address: '0.0.0.0', family: 4 }

/**
 * Chooses the address to bind from the results of a lookup: the first that is not link-local (fe80::/10, RFC 4291).
 * Binding to a link-local address needs a zone, which a lookup does not return.
 *
 * @internal
 */
export function chooseAddress<T extends { readonly address: string }>(found: readonly T[]): T | undefined {
  return found.find(({ address }) => !isLinkLocal(address)) ?? found[0]
}

function isLinkLocal(address: string): boolean {
  if (!isIPv6(address)) return false
  const firstGroup = Number.parseInt(address, 16)
  return (firstGroup & 0xffc0) === 0xfe80
}
