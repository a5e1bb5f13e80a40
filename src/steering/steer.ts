// Room: how the kernel chooses between the members of a group, and the process that keeps a policy in force. It may
// import group and every room below.
import { EventEmitter } from 'node:events'
import os from 'node:os'
import process from 'node:process'
import type { AbortSignalLike } from '../common/abort-signal.js'
import { toSignal } from '../common/abort-signal.js'
import {
  AccessDeniedError,
  ReusePortAddonError,
  ReusePortSteeringError,
  ServerNotRunningError,
  SocketNotRunningError,
} from '../common/errors.js'
import { assertObject, toTime } from '../common/validation.js'
import { Deadline } from '../common/waiting.js'
import { inspectGroup } from '../group/group.js'
import { ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import type { GroupTarget } from '../group/group-types.js'
import { lockForPolicy } from '../group/lock.js'
import { isStillMember, type Member, memberOf, memberWith } from '../group/member.js'
import type { Addon } from '../native/addon-contract.js'
import { requireAddon } from '../native/require-addon.js'
import { latestListen } from '../node/adopt.js'
import { datagramDescriptor, isClosed } from '../node/datagram-internals.js'
import { type BindableSocket, isDatagramSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { assertServer, isServer } from '../node/server.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import { isAtLeast } from '../system/kernel-versions.js'
import { applyPolicy, refuseStrangers, takeMember, toSteering } from './apply-policy.js'
import { refuseForTransport } from './by-policy.js'
import { keeperOf } from './keeper.js'
import { askKeeper, now } from './keeper-channel.js'
import { parsePolicy, toFlag } from './policy.js'
import { steeringError } from './steering.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

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
    if (isTarget(target)) return await steerGroup(target, parsed, deadline)
    if (isDatagramSocket(target)) return await steerDatagrams(target, parsed, deadline)
    return await steerServer(target, parsed, deadline)
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

/** Servers on whose socket `steer` has set SO_INCOMING_CPU. */
const byCpu = new WeakSet<ListenableServer>()

async function steerServer(server: ListenableServer, policy: SteeringPolicy, deadline: Deadline): Promise<Steering> {
  assertServer(server)
  refuseForTransport(policy, 'tcp')
  if (!server.listening) throw new ServerNotRunningError()
  const addon = requireAddon('steer')
  const member = memberOf(addon, 'steer', server)
  const cpu = typeof policy === 'object' && 'cpu' in policy ? onlyCpu(addon) : undefined
  const keeper = keeperOf(server, member)
  if (cpu === undefined) {
    const steering = await keeper.steer(policy, deadline)
    if (byCpu.has(server) && isStillMember(member)) setIncomingCpu(member, NO_CPU)
    byCpu.delete(server)
    return steering
  }
  setIncomingCpu(member, cpu)
  try {
    // The kernel runs a program before it looks at SO_INCOMING_CPU, so the program has to go.
    const { members } = await keeper.steer('hash', deadline)
    byCpu.add(server)
    return { policy, method: 'incoming-cpu', members, keeper: undefined, reason: undefined }
  } catch (error) {
    if (!byCpu.has(server) && isStillMember(member)) setIncomingCpu(member, NO_CPU)
    throw error
  }
}

async function steerDatagrams(socket: BindableSocket, policy: SteeringPolicy, deadline: Deadline): Promise<Steering> {
  refuseForTransport(policy, 'udp')
  if (isClosed(socket)) throw new SocketNotRunningError()
  const { port } = socket.address() as { readonly port: number }
  const fd = datagramDescriptor(socket)
  if (fd === undefined) throw new ReusePortSteeringError('steer cannot find the descriptor of the dgram socket')
  const member = memberWith(requireAddon('steer'), 'steer', fd, port, 'udp')
  return keeperOf(socket, member).steer(policy, deadline)
}

/** For a process that need not be a member: works through the socket of a member. */
async function steerGroup(target: GroupTarget | number, policy: SteeringPolicy, deadline: Deadline): Promise<Steering> {
  const group = await inspectGroup(target)
  const [first] = group.members
  const { protocol } = group
  refuseForTransport(policy, protocol)
  if (first === undefined) {
    const what = protocol === 'tcp' ? 'no TCP server listens on' : 'no UDP socket is bound to'
    throw new ReusePortSteeringError(`${what} ${group.address} port ${group.port}`)
  }
  const addon = requireAddon('steer')
  const descriptor = takeMember(addon, group.members)
  try {
    const member = memberWith(addon, 'steer', descriptor.fd, group.port, protocol)
    await refuseStrangers(member, policy)
    return (
      (await askKeeper(addon, member.socket, { policy, since: now() }, deadline)) ??
      (await applyOnce(member, policy, deadline))
    )
  } finally {
    descriptor.close()
  }
}

async function applyOnce(member: Member, wanted: SteeringPolicy, deadline: Deadline): Promise<Steering> {
  const lock = await lockForPolicy(member.addon, member.socket, deadline)
  try {
    return toSteering(await applyPolicy(member, wanted), undefined)
  } finally {
    lock.end()
  }
}

function isTarget(target: ListenableServer | BindableSocket | GroupTarget | number): target is GroupTarget | number {
  if (typeof target === 'number') return true
  return typeof target === 'object' && target !== null && 'port' in target && !isServer(target)
}

const SOL_SOCKET = 1
const SO_INCOMING_CPU = 49
const NO_CPU = -1

function setIncomingCpu({ addon, fd }: Member, cpu: number): void {
  const failure = addon.setRawOption(fd, SOL_SOCKET, SO_INCOMING_CPU, cpu)
  if (failure !== undefined) throw steeringError(failure)
}

/** The only CPU of this thread; undefined for several CPUs, or if groups ignore SO_INCOMING_CPU (before Linux 6.2). */
function onlyCpu(addon: Addon): number | undefined {
  if (process.platform !== 'linux' || !isAtLeast(os.release(), 6, 2)) return undefined
  const cpus = addon.getCpus()
  return cpus instanceof Float64Array && cpus.length === 1 ? cpus[0] : undefined
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
