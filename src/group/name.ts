// Pure: the names of the abstract unix sockets by which processes agree about a group.
import type { SeenSocket } from './rows.js'

/** What tells one group from another within a network namespace, which is also the scope of abstract unix sockets. */
export type GroupName = Pick<SeenSocket, 'protocol' | 'family' | 'address' | 'device' | 'port'>

/**
 * - `lock`: held while a process changes the group's program, or leaves the group.
 * - `keeper`: the process that keeps a policy in force.
 * - `leader`: the process that leads the listeners which leave the group at this moment.
 * - `join`: held while a process that sets `maxMembers` joins the group.
 */
export type NamePurpose = 'lock' | 'keeper' | 'leader' | 'join'

/**
 * The name of an abstract unix socket (unix(7)); `ss -x` shows it with an @ in front. It holds no uid: one user of the
 * kernel has several numbers where there are user namespaces, and the kernel gives an address to one user at a time. Any
 * user can bind any name, so the kernel is asked whose a name is.
 */
export function groupSocketName(purpose: NamePurpose, { protocol, family, address, device, port }: GroupName): string {
  const version = family === 'IPv4' ? 4 : 6
  const where = device === 0 ? address : `${address}%${device}`
  return `reuseport:${purpose}:${protocol}${version}:${where}:${port}`
}
