import process from 'node:process'
import { UNSPECIFIED_IPV4, UNSPECIFIED_IPV6 } from '../common/address.js'
import type { Addon } from '../native/addon-contract.js'
import { reservePort } from '../native/reserved-port.js'
import { serverGetter } from '../node/cluster.js'
import { type Agreement, agreeOnPort } from '../node/cluster-port.js'
import type { SocketRequest } from './socket.js'

/**
 * In a worker of cluster, the calls with port 0 that are the same in several workers have the same port, as with Node.
 *
 * @param listen Gets the agreement later on; undefined where each worker has to take a port of its own.
 * @returns false where there is nothing to agree on, and `listen` is not called.
 */
export function inCluster(
  addon: Addon,
  { where, port, ipv6Only }: SocketRequest,
  listen: (agreement: Agreement | undefined) => void,
): boolean {
  // Only Linux sends no connections to a socket that shares the port and does not listen, as the reservation.
  if (port !== 0 || process.platform !== 'linux' || serverGetter() === undefined) return false
  const places = where === undefined ? [UNSPECIFIED_IPV6, UNSPECIFIED_IPV4] : [where]
  for (const place of places) {
    // Nobody else gets the port before the first worker listens on it.
    const reserved = reservePort(addon, 'tcp', place, ipv6Only && place.family === 6)
    if (reserved === undefined) continue
    const then = (agreement: Agreement | undefined): void => {
      try {
        listen(agreement)
      } finally {
        reserved.close()
      }
    }
    const call = `${where?.address ?? ''}/${ipv6Only}`
    const isAgreed = agreeOnPort(call, reserved.port, then, () => reserved.close())
    if (!isAgreed) reserved.close()
    return isAgreed
  }
  return false
}
