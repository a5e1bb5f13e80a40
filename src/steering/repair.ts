import { part } from '../common/part.js'
import type { GroupTarget } from '../group/group-types.js'
import type { Steering } from './steering-types.js'

const repairing = part(() => import('./repair-group.js'))

/**
 * Repairs a group after a process has ended in the middle of a drain. If the group has a keeper, the keeper puts its
 * policy in force again. Otherwise the program of the group is removed, whichever process attached it, and the kernel
 * chooses by hash.
 *
 * Works through the socket of a member if this process may duplicate it (pidfd_getfd(2)). Otherwise this process joins
 * the group for some microseconds: a client that reaches the new member gets no answer, and asks again a second later.
 *
 * Rejects as `steer` does. Linux 5.3.
 */
export function repairGroup(target: GroupTarget | number): Promise<Steering> {
  return repairing.use(({ repairGroup }) => repairGroup(target))
}
