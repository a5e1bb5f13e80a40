import { InvalidArgumentTypeError, InvalidArgumentValueError } from '../common/errors.js'
import { requireAddon } from '../native/require-addon.js'
import { serverDescriptor } from '../node/adopt.js'
import { datagramDescriptor } from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { isDatagramSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { isServer } from '../node/server.js'
import type { DatagramSocketOptionValues } from './datagram-option-types.js'
import { readOptions } from './read-option.js'
import type { SocketOptionValues } from './socket-option-types.js'

/**
 * Reads every option of `socketOptions` as the kernel uses it, for the socket of a listening server or of a bound dgram
 * socket. The socket need not have been opened by this library. Options that this system lacks are left out.
 *
 * A value that is read may differ from the value that was set: Linux doubles buffer sizes, rounds `deferAccept` up and
 * caps `fastOpen`. `getsockopt(2)`.
 *
 * @throws `ERR_INVALID_ARG_TYPE` where the target is neither a server nor a dgram socket. `ERR_INVALID_ARG_VALUE` where
 *   the target has no descriptor of its own (it does not listen, or is in a cluster worker whose primary shares the
 *   socket), or is bound to a path. `ERR_REUSEPORT_ADDON_UNAVAILABLE` without the addon.
 */
export function effectiveSocketOptions(server: ListenableServer): Readonly<Partial<SocketOptionValues>>
export function effectiveSocketOptions(socket: BindableSocket): Readonly<Partial<DatagramSocketOptionValues>>
export function effectiveSocketOptions(
  target: ListenableServer | BindableSocket,
): Readonly<Partial<SocketOptionValues>> | Readonly<Partial<DatagramSocketOptionValues>> {
  const isDatagram = isDatagramSocket(target)
  if (!isDatagram && !isServer(target)) {
    throw new InvalidArgumentTypeError('target', 'an instance of net.Server or dgram.Socket', target)
  }
  const fd = isDatagram ? datagramDescriptor(target) : serverDescriptor(target)
  if (fd === undefined) {
    throw new InvalidArgumentValueError('target', target, 'must be bound to a port, with a descriptor of its own')
  }
  const addon = requireAddon('effectiveSocketOptions')
  const address = addon.localAddress(fd)
  if ('errno' in address) {
    throw new InvalidArgumentValueError('target', target, 'must be bound to a port, not to a path')
  }
  const socket = { addon, fd, family: address.family === 'IPv4' ? 4 : 6 } as const
  return readOptions(socket, isDatagram ? 'udp' : 'tcp')
}
