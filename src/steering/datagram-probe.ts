// Learns the slots of UDP sockets that this process has descriptors of. A program of the group sends a probe to the slot that
// its bytes name. A filter of each socket drops probes, so no program reads one, and the kernel counts the drop.
import { randomBytes } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import { ReusePortSteeringError } from '../common/errors.js'
import { type Member, membersNow } from '../group/member.js'
import { socketsOn } from '../group/reader.js'
import type { Program } from './instructions.js'
import { filterOfProbes, withProbes } from './probe-programs.js'
import { attachInstructions, steeringError, wordsOf } from './steering.js'
import { type Target, targetsOf } from './targets.js'

/** Other drops of a flooded socket can hide which one dropped the probe. */
const ROUNDS = 50
/** ms for a datagram to come back by the loopback device. */
const TIMEOUT = 1000
const SOL_SOCKET = 1
const SO_DETACH_FILTER = 27

/**
 * @param fds The descriptor of each member, by its inode.
 * @param program The program of the group, which the probe's own leaves to choose for all other datagrams.
 * @returns the inodes of the members, by slot. The probe's program stays attached. @throws ReusePortSteeringError
 */
export async function learnDatagramSlots(
  member: Member,
  fds: ReadonlyMap<number, number>,
  program: Program,
): Promise<readonly number[]> {
  const inodes = membersNow(member, 'steer').map(({ inode }) => inode)
  if (inodes.some((inode) => !fds.has(inode)))
    throw new ReusePortSteeringError('a socket that is not of this supervisor is in the group')
  if (inodes.length < 2) return inodes
  const nonce = randomBytes(16)
  const filtered: number[] = []
  let last: unknown
  try {
    for (const inode of inodes) {
      const fd = fds.get(inode) as number
      const failure = member.addon.attachProgram(fd, wordsOf(filterOfProbes(nonce)), true)
      if (failure !== undefined) throw steeringError(failure)
      filtered.push(fd)
    }
    attachInstructions(member, withProbes(nonce, program))
    for (const target of unambiguous(member)) {
      try {
        return await askAt(member, target, nonce, inodes)
      } catch (error) {
        last = error
      }
    }
    throw last ?? new ReusePortSteeringError('no address of this machine reaches the group alone')
  } finally {
    for (const fd of filtered) member.addon.setRawOption(fd, SOL_SOCKET, SO_DETACH_FILTER, 0)
  }
}

/** The kernel prefers a socket that is bound to the very address, or to the IPv4 wildcard: it would get the probe. */
function unambiguous(member: Member): readonly Target[] {
  const { family, port } = member.socket
  const inGroup = new Set(membersNow(member, 'steer').map(({ inode }) => inode))
  const others = socketsOn(member.addon, 'steer', 'udp', port).filter(({ inode }) => !inGroup.has(inode))
  return targetsOf(member).filter((target) => {
    const preferred = [target.address, `::ffff:${target.address}`]
    if (family === 'IPv6' && target.family === 4) preferred.push('0.0.0.0')
    return !others.some(({ address }) => preferred.includes(address))
  })
}

async function askAt(
  member: Member,
  { address, family }: Target,
  nonce: Buffer,
  inodes: readonly number[],
): Promise<readonly number[]> {
  const prober = dgram.createSocket(family === 4 ? 'udp4' : 'udp6')
  try {
    prober.bind({ port: 0, exclusive: true })
    await once(prober, 'listening')
    const bySlot: number[] = []
    for (const slot of inodes.keys()) {
      const probe = Buffer.concat([nonce, Buffer.of(0, 0, slot >> 8, slot & 0xff)])
      let candidates = inodes
      for (let round = 0; candidates.length > 1 && round < ROUNDS; round++) {
        const before = dropsOf(member)
        await send(prober, probe, member.socket.port, address)
        await comeBack(prober, family === 4 ? '127.0.0.1' : '::1')
        const after = dropsOf(member)
        candidates = candidates.filter((inode) => after.get(inode) !== before.get(inode))
      }
      const [found] = candidates
      if (candidates.length !== 1 || found === undefined || bySlot.includes(found))
        throw new ReusePortSteeringError('the slots of the UDP sockets could not be determined')
      bySlot.push(found)
    }
    return bySlot
  } finally {
    prober.close()
  }
}

function dropsOf(member: Member): ReadonlyMap<number, number | null> {
  return new Map(membersNow(member, 'steer').map(({ drops, inode }) => [inode, drops]))
}

function send(prober: dgram.Socket, what: Buffer, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    prober.send(what, port, address, (error) => (error === null ? resolve() : reject(asSteeringError(error))))
  })
}

function asSteeringError({ message }: Error): ReusePortSteeringError {
  return new ReusePortSteeringError(`the probe of the UDP group cannot be sent: ${message}`)
}

/** The loopback device delivers in order: what was sent before has been delivered as well. */
async function comeBack(prober: dgram.Socket, loopback: string): Promise<void> {
  const mark = randomBytes(16)
  const signal = AbortSignal.timeout(TIMEOUT)
  await send(prober, mark, prober.address().port, loopback)
  for (;;) {
    const [message] = (await once(prober, 'message', { signal }).catch(() => [undefined])) as [Buffer | undefined]
    if (message === undefined) throw new ReusePortSteeringError('the loopback device delivers no datagram')
    if (message.equals(mark)) return
  }
}
