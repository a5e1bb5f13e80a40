// What `steer` does once its arguments are checked.
import os from 'node:os'
import process from 'node:process'
import { addressText } from '../common/address.js'
import { ReusePortSteeringError, ServerNotRunningError, SocketNotRunningError } from '../common/errors.js'
import type { Deadline } from '../common/waiting.js'
import type { GroupTarget } from '../group/group-types.js'
import { inspectGroup } from '../group/inspect-group.js'
import { lockForPolicy } from '../group/lock.js'
import { isStillMember, type Member, memberOf, memberWith } from '../group/member.js'
import type { Addon } from '../native/addon-contract.js'
import { requireAddon } from '../native/require-addon.js'
import { datagramDescriptor, isClosed } from '../node/datagram-internals.js'
import { type BindableSocket, isDatagramSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { assertServer, isServer } from '../node/server.js'
import { isAtLeast } from '../system/kernel-versions.js'
import { applyPolicy, refuseStrangers, takeMember, toSteering } from './apply-policy.js'
import { refuseForTransport } from './by-policy.js'
import { keeperOf } from './keeper.js'
import { askKeeper, now } from './keeper-channel.js'
import { steeringError } from './steering.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

export async function steerTarget(
  target: ListenableServer | BindableSocket | GroupTarget | number,
  policy: SteeringPolicy,
  deadline: Deadline,
): Promise<Steering> {
  if (isTarget(target)) return await steerGroup(target, policy, deadline)
  if (isDatagramSocket(target)) return await steerDatagrams(target, policy, deadline)
  return await steerServer(target, policy, deadline)
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
    throw new ReusePortSteeringError(`${what} ${addressText(group.address, group.port)}`)
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
