// Who else accepts where the workers listen: a supervisor that was started twice, orphans of one that has died, strangers.
// It is looked at in the background, and nothing is done to anybody.
import type { EventEmitter } from 'node:events'
import { fstatSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport } from '../common/transport.js'
import { socketsOn } from '../group/reader.js'
import { type GroupMember, inspectGroup } from '../index.js'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { reachSupervisors } from './control-client.js'
import type { ListeningInfo, Others, SupervisorEvents } from './events.js'
import type { Kept } from './kept-socket.js'
import { isOwn, isWorker, supervisorOf } from './predecessors.js'

interface Source {
  readonly alive: readonly { readonly pid: number }[]
  readonly sockets: { readonly all: readonly Kept[] }
}

/** ms. A socket that another worker has opened is known a moment later; one of a process that ends is gone. */
const LOOKS: readonly number[] = [100, 300]

/** @internal Looks around once at each place where a worker listens. */
export function tellOthers(supervisor: EventEmitter<SupervisorEvents>, pool: Source, signal: AbortSignal): void {
  const state = loadAddon()
  if (!state.loaded) return
  const seen = new Set<string>()
  supervisor.on('worker:listening', (_worker, where) => {
    const key = `${where.address} ${where.port}`
    if (seen.has(key)) return
    seen.add(key)
    look(state.addon, where, pool, signal).then(
      (others) => others !== undefined && supervisor.emit('others', others),
      // Ended in the meantime, or this system does not tell.
      () => {},
    )
  })
}

async function look(
  addon: Addon,
  where: ListeningInfo,
  { alive, sockets }: Source,
  signal: AbortSignal,
): Promise<Others | undefined> {
  const { address, port } = where
  let foreign: ReadonlySet<number> | undefined
  let protocol: Transport = 'tcp'
  for (const ms of LOOKS) {
    await sleep(ms, undefined, { ref: false, signal })
    const kept = sockets.all.filter((one) => one.address === address && one.port === port)
    protocol = kept[0]?.wish.datagram === undefined ? 'tcp' : 'udp'
    const own = new Set(kept.map(({ fd }) => fstatSync(fd).ino))
    const found = socketsOn(addon, 'reuseport run', protocol, port)
      .filter((one) => one.address === address && one.uid === process.getuid?.() && !own.has(one.inode))
      .map(({ inode }) => inode)
    foreign = new Set(found.filter((inode) => foreign?.has(inode) !== false))
    if (foreign.size === 0) return undefined
  }
  const { members } = await inspectGroup({ port, host: address, protocol })
  const pids = new Set([process.pid, ...alive.map(({ pid }) => pid)])
  const left = members.filter(({ inode, pid }) => foreign?.has(inode) && !(pid !== undefined && isOwn(pid, pids)))
  return left.length === 0 ? undefined : tellApart(addon, where, left)
}

async function tellApart(
  addon: Addon,
  { address, family, port }: ListeningInfo,
  members: readonly GroupMember[],
): Promise<Others> {
  const supervisors = new Map<number, Others['supervisors'][number]>()
  const inodes = Float64Array.from(members, ({ inode }) => inode)
  const held = new Set<number>()
  for (const reached of await reachSupervisors('own', () => {})) {
    const { pid } = reached.peer
    const shared = pid === process.pid ? [] : [...addon.heldBy(pid, inodes)]
    const status = shared.length === 0 ? undefined : await reached.status().catch(() => undefined)
    reached.close()
    for (const inode of shared) held.add(inode)
    if (shared.length === 0) continue
    const startedAt = status && new Date(status.startedAt)
    supervisors.set(pid, { pid, script: status?.script, startedAt })
  }
  const orphans: Others['orphans'][number][] = []
  const strangers: Others['strangers'][number][] = []
  for (const { command, inode, pid, startedAt } of members.filter((one) => !held.has(one.inode))) {
    // A supervisor that does not answer holds the sockets of its workers all the same.
    const supervisor = pid !== undefined && isWorker(pid) ? supervisorOf(addon, pid, inode) : undefined
    if (supervisor !== undefined)
      supervisors.set(supervisor, { pid: supervisor, script: undefined, startedAt: undefined })
    else if (pid !== undefined && isWorker(pid)) orphans.push({ pid, startedAt })
    else strangers.push({ pid, command, startedAt })
  }
  return { address, family, port, supervisors: [...supervisors.values()], orphans, strangers }
}
