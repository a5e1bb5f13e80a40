// Room: which sockets share a port, and which processes hold them. It may import options, system and every room below.
import { part } from '../common/part.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import type { Group, GroupFilter, GroupTarget } from './group-types.js'

const inspection = part(() => import('./inspect-group.js'))

/**
 * The group of a listening server or of a bound dgram socket, or the group at an address or a TCP port: which processes hold its
 * sockets, how full their queues are, how much was dropped. An address without sockets gives a group without members.
 *
 * Linux, without privileges: sock_diag(7) for the sockets, /proc for their processes. Rejects with
 * `ERR_REUSEPORT_INSPECTION_UNAVAILABLE` on other systems and where seccomp denies sock_diag, with
 * `ERR_REUSEPORT_ADDON_UNAVAILABLE` without the addon, with the error of the lookup of `host`, and with
 * `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_SOCKET_BAD_PORT` and `ERR_REUSEPORT_UNKNOWN_OPTION` for wrong
 * arguments.
 */
export function inspectGroup(target: ListenableServer | BindableSocket | GroupTarget | number): Promise<Group> {
  return inspection.use((part) => part.inspectGroup(target))
}

/**
 * Every group of this network namespace, or the groups on the given ports, sorted by port, protocol, family, address
 * and user. A single socket is a group too, because the kernel does not report whether a socket shares its port.
 * Systems and errors are those of `inspectGroup`.
 */
export function inspectGroups(filter: GroupFilter = {}): Promise<readonly Group[]> {
  return inspection.use((part) => part.inspectGroups(filter))
}
