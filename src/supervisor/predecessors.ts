// Tells the processes of an earlier `reuseport run` on the same ports to drain and end, when the new workers serve.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspectGroup } from '../index.js'
import { supervisors } from './control.js'
import type { ListeningInfo, Replaced } from './events.js'
import { WORKER_NAME } from './protocol.js'

const GLANCE = 50 // ms

/** @internal @throws ReusePortInspectionError */
export async function endPredecessors(
  ports: readonly ListeningInfo[],
  own: ReadonlySet<number>,
  timeout: number,
  signal: AbortSignal,
): Promise<Replaced> {
  const groups = await Promise.all(ports.map(({ address, port }) => inspectGroup({ port, host: address })))
  const pids = new Set(groups.flatMap(({ members }) => members.map(({ pid }) => pid ?? 0)))
  const known = await supervisors()
  const ended = new Set<number>()
  const strangers: number[] = []
  for (const pid of pids) {
    if (pid === 0 || own.has(pid)) continue
    const supervisor = known.find((one) => one.pid === pid || one.workers.some((worker) => worker.pid === pid))?.pid
    const end = supervisor ?? supervisorOf(pid)
    if (end === undefined) strangers.push(pid)
    else if (!own.has(end)) ended.add(end)
  }
  for (const pid of ended) tryToEnd(pid)
  const deadline = performance.now() + timeout
  while ([...ended].some(isAlive) && performance.now() < deadline && !signal.aborted) await sleep(GLANCE)
  return { ended: [...ended], strangers, late: [...ended].filter(isAlive) }
}

/** A worker's supervisor, or the worker itself where its supervisor has died; undefined for others. Linux: proc(5). */
function supervisorOf(pid: number): number | undefined {
  const environment = readOrNothing(`/proc/${pid}/environ`).split('\0')
  const name = environment.find((line) => line.startsWith(`${WORKER_NAME}=`))
  if (name === undefined) return undefined
  const supervisor = Number.parseInt(name.slice(WORKER_NAME.length + 1), 10)
  // Pids are reused: a process with the pid of the supervisor is the supervisor only if it is the parent of the worker.
  return Number(/^PPid:\s+(\d+)$/m.exec(readOrNothing(`/proc/${pid}/status`))?.[1]) === supervisor ? supervisor : pid
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function tryToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch {
    // The process has ended in the meantime.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie has ended: only its parent has not waited for it yet.
    return !/^State:\s+Z/m.test(readOrNothing(`/proc/${pid}/status`))
  } catch {
    return false
  }
}
