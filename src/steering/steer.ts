// Room: how the kernel chooses between the members of a group, and the process that keeps a policy in force. It may
// import group and every room below.
import { EventEmitter } from 'node:events'
import type { AbortSignalLike } from '../common/abort-signal.js'
import { toSignal } from '../common/abort-signal.js'
import { AccessDeniedError, ReusePortAddonError, ReusePortSteeringError } from '../common/errors.js'
import { part } from '../common/part.js'
import { assertObject, toTime } from '../common/validation.js'
import { Deadline } from '../common/waiting.js'
import { ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import type { GroupTarget } from '../group/group-types.js'
import { latestListen } from '../node/adopt.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import { parsePolicy, toFlag } from './policy.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

const steering = part(() => import('./steer-group.js'))

/** Options of `steer`. Never written to. */
export interface SteerOptions {
  /** true: if the policy cannot be put in force, resolves, and the kernel chooses by hash. Default false: rejects. */
  readonly optional?: boolean | undefined
  /** ms at most to wait for drains and other changes of the same group. Default 10000. */
  readonly lockTimeout?: number | undefined
  /** Ends the wait: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignalLike | undefined
}

/**
 * Sets how the kernel chooses a member for a new connection: by hash, at random, by CPU, by weights, without some
 * members, by the client's address, or by a program of your own; for a UDP socket also by bytes of the datagrams. It
 * applies to the whole group, from the next connection on.
 *
 * ```js
 * await steer(server, { exclude: [{ pid: process.pid }] }) // no new connections here for now
 * ```
 *
 * One process, the keeper, keeps the policy in force while members join and leave: the first process that calls `steer`
 * for one of its servers. When the keeper leaves the group, another of these processes takes its place. The keeper
 * learns at once of members that call `steer`, and of other members within a second. Until then a new member may get no
 * connections, and the kernel chooses by hash where the policy names a slot without a member. The policy that any
 * process requested last applies to the whole group; `'hash'` ends it. While a member drains, the others get equal
 * shares. For a group that is given by its port and has no keeper, the policy is put in force once.
 *
 * To steer by members that are named by pid or inode, a process has to learn their slots. Every process can learn the
 * slots of its own sockets. For the sockets of another process it must be the parent of that process or root, or run on
 * a system that lets debuggers attach (pidfd_getfd(2), Linux 5.6).
 *
 * The members of a UDP group are named by their slots, which follow the order of `bind` until a member leaves.
 *
 * Rejects with `ERR_REUSEPORT_STEERING_UNAVAILABLE` (`error.reason`), `ERR_REUSEPORT_LOCKED`,
 * `ERR_REUSEPORT_ADDON_UNAVAILABLE`, `ERR_REUSEPORT_INSPECTION_UNAVAILABLE` and, under Node's permission model,
 * `ERR_ACCESS_DENIED`, all five unless `optional`; with
 * `ERR_SERVER_NOT_RUNNING`, `ERR_SOCKET_DGRAM_NOT_RUNNING`, `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` and
 * `ERR_REUSEPORT_UNKNOWN_OPTION` for wrong arguments.
 *
 * Linux 5.3 and later, without privileges; 'random', 'cpu' and programs also on 4.6, where they cannot be taken away
 * again. `socket(7)`, SO_ATTACH_REUSEPORT_CBPF, SO_DETACH_REUSEPORT_BPF.
 */
export async function steer(
  target: ListenableServer | BindableSocket | GroupTarget | number,
  policy: SteeringPolicy,
  options: SteerOptions = {},
): Promise<Steering> {
  const parsed = parsePolicy(policy)
  const { deadline, optional } = parseOptions(options)
  try {
    return await steering.use(({ steerTarget }) => steerTarget(target, parsed, deadline))
  } catch (error) {
    if (!optional || !isUnavailable(error)) throw error
    return { policy: 'hash', method: 'hash', members: 0, keeper: undefined, reason: error.message }
  }
}

/**
 * @internal Applies the option of `listenReusePort` once the server listens. Has no effect if listening fails, or if the
 * server is closed or told to listen elsewhere before. To be called directly after the call that makes the server listen.
 */
export function steerWhenListening(server: ListenableServer, policy: SteeringPolicy, optional: boolean): void {
  const emitter = server as unknown as EventEmitter
  const isLatest = latestListen(server)
  const onListening = (): void => {
    forget()
    if (!isLatest()) return
    steer(server, policy, { optional }).catch((error) => {
      // The program may have closed the server in the meantime.
      if (isLatest() && server.listening) server.emit('error', error)
    })
  }
  const forget = (): void => {
    emitter.off('listening', onListening).off('close', forget).off(EventEmitter.errorMonitor, forget)
  }
  emitter.once('listening', onListening).once('close', forget).once(EventEmitter.errorMonitor, forget)
}

const DEFAULT_LOCK_TIMEOUT = 10_000

function parseOptions(options: unknown): { readonly deadline: Deadline; readonly optional: boolean } {
  assertObject('options', options)
  refuseUnknownOptions(options, ['optional', 'lockTimeout', 'signal'])
  const { optional, lockTimeout, signal } = options as { readonly [name in keyof SteerOptions]: unknown }
  const time = toTime('options.lockTimeout', lockTimeout, DEFAULT_LOCK_TIMEOUT)
  return { deadline: new Deadline(time, toSignal(signal)), optional: toFlag('options.optional', optional) }
}

function isUnavailable(error: unknown): error is Error {
  return (
    error instanceof ReusePortSteeringError ||
    error instanceof ReusePortAddonError ||
    error instanceof AccessDeniedError ||
    error instanceof ReusePortInspectionError ||
    error instanceof ReusePortLockError
  )
}
