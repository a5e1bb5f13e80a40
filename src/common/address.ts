// Pure: addresses to bind to.
import { isIPv6 } from 'node:net'

/** @internal A numeric address to bind to. An IPv6 one may carry a zone (`fe80::1%eth0`). */
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

/** @internal The order in which Node tries the unspecified addresses where no host is given. */
export const UNSPECIFIED_IPV6: BindAddress = { address: '::', family: 6 }
/** @internal */
export const UNSPECIFIED_IPV4: BindAddress = { address: '0.0.0.0', family: 4 }

/**
 * Of what a lookup found, the address to bind: the first that is not link-local (fe80::/10, RFC 4291), because a lookup
 * does not tell the zone that binding to such an address needs.
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
