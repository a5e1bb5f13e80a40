// The keepers and followers of this process.
import type { Member } from '../group/member.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import type { ClientAddressPolicy, SteeringPolicy } from './steering-types.js'

/** A server, or a UDP socket. */
export type Kept = ListenableServer | BindableSocket

interface Keeper {
  /** The policy of the group, as far as it knows. */
  readonly policy: SteeringPolicy | undefined
  stop(): void
}

const keepers = new WeakMap<Kept, Keeper>()
/** The same, by the inodes of their sockets. */
const byInode = new Map<number, Keeper>()

export function keeperKnownFor(server: Kept): Keeper | undefined {
  return keepers.get(server)
}

export function remember(server: Kept, { socket }: Member, keeper: Keeper): void {
  keepers.set(server, keeper)
  byInode.set(socket.inode, keeper)
}

export function forget(server: Kept, { socket }: Member, keeper: Keeper): void {
  if (keepers.get(server) === keeper) keepers.delete(server)
  if (byInode.get(socket.inode) === keeper) byInode.delete(socket.inode)
}

/** For a server that leaves its group. */
export function stopKeeping(server: Kept): void {
  keepers.get(server)?.stop()
}

/** The policy of this member's group, as far as this process knows, where clients stay with their members. */
export function stickyPolicyOf({ socket }: Member): ClientAddressPolicy | undefined {
  const policy = byInode.get(socket.inode)?.policy
  return typeof policy === 'object' && 'by' in policy && policy.by === 'client-address' ? policy : undefined
}
