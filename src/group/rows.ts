// Pure: sorts sockets into groups, and describes each socket as a member.

import type { Transport } from '../common/transport.js'
import type { SocketRow } from '../native/addon-contract.js'
import type { Group, GroupMember } from './group-types.js'

/** A socket as the kernel describes it, with its protocol and family. */
export interface SeenSocket extends Omit<SocketRow, 'state'> {
  readonly protocol: Transport
  readonly family: 'IPv4' | 'IPv6'
}

/** What a group needs to know of processes. On Linux `seeProcesses` reads it from /proc. */
export interface SeenProcesses {
  readonly own: number
  /** The pid of a process that holds a socket: this process if it does. */
  holder(inode: number): number | undefined
  command(pid: number): string | undefined
  startedAt(pid: number): Date | undefined
  user(uid: number): string | undefined
  /** The number of established connections to a group's address and port that a process holds. */
  established(pid: number, group: SeenSocket): number
}

/** Equal for the sockets between which the kernel chooses. */
export function groupKey({ protocol, family, address, port, ipv6Only, device, uid }: SeenSocket): string {
  return [port, protocol, family, address, ipv6Only, device, uid].join(' ')
}

/** The groups of these sockets, sorted by port, protocol, family, address and user. */
export function groupsOf(sockets: readonly SeenSocket[], processes: SeenProcesses): readonly Group[] {
  const byKey = new Map<string, SeenSocket[]>()
  for (const socket of sockets) {
    const members = byKey.get(groupKey(socket))
    if (members === undefined) byKey.set(groupKey(socket), [socket])
    else members.push(socket)
  }
  return [...byKey.values()].map((members) => toGroup(members, processes)).sort(compareGroups)
}

function toGroup(sockets: readonly SeenSocket[], processes: SeenProcesses): Group {
  const [first] = sockets as readonly [SeenSocket]
  const { protocol, family, address, port, ipv6Only, device, uid } = first
  const members = sockets.map((socket) => toMember(socket, processes)).sort(compareMembers)
  return {
    protocol,
    family,
    address,
    port,
    ipv6Only: family === 'IPv6' ? (ipv6Only ?? undefined) : undefined,
    device: device === 0 ? undefined : device,
    uid,
    members,
  }
}

function toMember(socket: SeenSocket, processes: SeenProcesses): GroupMember {
  const { address, cookie, drops, family, inode, limit, port, protocol, queued, receiveBuffer, uid } = socket
  const pid = processes.holder(inode)
  const isTcp = protocol === 'tcp'
  return {
    inode,
    cookie,
    uid,
    user: processes.user(uid),
    pid,
    command: pid === undefined ? undefined : processes.command(pid),
    startedAt: pid === undefined ? undefined : processes.startedAt(pid),
    self: pid === processes.own,
    hidden: pid === undefined,
    address,
    port,
    family,
    queued,
    backlog: isTcp ? limit : (receiveBuffer ?? 0),
    drops: drops ?? undefined,
    state: isTcp ? 'listening' : 'bound',
    established: isTcp && pid !== undefined ? processes.established(pid, socket) : undefined,
  }
}

function compareGroups(one: Group, other: Group): number {
  return (
    one.port - other.port ||
    one.protocol.localeCompare(other.protocol) ||
    one.family.localeCompare(other.family) ||
    one.address.localeCompare(other.address) ||
    (one.uid ?? -1) - (other.uid ?? -1)
  )
}

function compareMembers(one: GroupMember, other: GroupMember): number {
  const last = Number.POSITIVE_INFINITY
  const [pid, otherPid] = [one.pid ?? last, other.pid ?? last]
  return pid === otherPid ? one.inode - other.inode : pid - otherPid
}
