import type { Transport } from '../common/transport.js'
import type { Addon } from './addon-contract.js'
import { OwnedDescriptor } from './owned-descriptor.js'

export interface ReservedPort {
  readonly port: number
  /** From now on the port is free, unless another socket has been bound to it. */
  close(): void
}

/**
 * Reserves a port that no socket had, for sockets of this user that share their port. A kernel that chooses among all
 * bound sockets, as others than Linux do for TCP, would send connections to the reservation, which never listens.
 *
 * @returns undefined where the kernel does not give a port at this address.
 */
export function reservePort(
  addon: Addon,
  transport: Transport,
  { address, family }: { readonly address: string; readonly family: 4 | 6 },
  ipv6Only = false,
): ReservedPort | undefined {
  const fd = addon.reservePort({ transport, family, ipv6Only, multipath: false }, address)
  if (typeof fd !== 'number') return undefined
  const descriptor = new OwnedDescriptor(addon, fd, family)
  const port = descriptor.localPort()
  if (port !== undefined) return { port, close: () => descriptor.close() }
  descriptor.close()
  return undefined
}
