// What other processes have a supervisor do, by a word that names it.
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../native/addon.js'
import { ProcessHandle } from '../native/process-handle.js'
import { answers, reachSupervisors } from './control-client.js'
import type { SupervisorStatus } from './control-protocol.js'
import { named } from './control-target.js'
import { ControlError } from './errors.js'
import { EarlierVersionError, type ReachedSupervisor } from './reached-supervisor.js'
import type { SupervisorVitals } from './vitals-protocol.js'

type Warn = (message: string) => void

/** A pid, a port on which its workers listen (`:8080` is never a pid), or its script: the path, the end of it, or its name. */
export type Which = number | string | undefined

/**
 * Has a supervisor replace its workers, and waits until the new ones serve.
 *
 * Rejected: `ERR_REUSEPORT_CONTROL` where there is no such supervisor, `ERR_REUSEPORT_AMBIGUOUS` where several could be
 * meant (both with `supervisors`); what the supervisor itself refuses, as an `Error`.
 *
 * @param which A pid, of any user whose supervisors this process may ask; or a port or script, of a supervisor of this user.
 *   Left out: the only one of this user.
 * @param warn Is told of supervisors that do not answer as they should.
 */
export async function reloadSupervisor(which?: number | string, warn: Warn = () => {}): Promise<void> {
  await command(which, warn, (one) => one.request('reload'))
}

/**
 * Has a supervisor start workers, or drain the last ones. Rejected as `reloadSupervisor`.
 *
 * @param workers Their number, `'auto'`, or how many more or fewer than now: `'+1'`, `'-2'`.
 * @returns how many workers are ready then.
 */
export async function scaleSupervisor(
  workers: number | string,
  which?: number | string,
  warn: Warn = () => {},
): Promise<number> {
  const done = await command(which, warn, (one) => one.request('scale', String(workers)))
  const { workers: ready } = (done ?? {}) as { readonly workers?: unknown }
  if (typeof ready === 'number') return ready
  throw new ControlError('its answer does not say how many workers there are')
}

/** How a supervisor that was told to stop has ended. */
export interface Stopped {
  readonly pid: number
  /** False where its process goes on: a program of its own has the supervisor. */
  readonly hasEnded: boolean
}

/** ms for a process whose supervisor has ended to end. What workers have printed may have to be written. */
const AFTERWARDS = 10_000
const GLANCE = 20 // ms

/**
 * Has a supervisor drain its workers and end, and waits until its process has ended. Rejected as `reloadSupervisor`, and
 * where that takes longer than `timeout`: it then goes on.
 *
 * @param timeout ms.
 */
export async function stopSupervisor(
  which?: number | string,
  timeout = 60_000,
  warn: Warn = () => {},
): Promise<Stopped> {
  return command(which, warn, async (one) => {
    const { pid } = one.peer
    const state = loadAddon()
    const handle = state.loaded ? ProcessHandle.open(state.addon, pid) : undefined
    try {
      const deadline = performance.now() + timeout
      const hasEnded = (): boolean => handle === undefined || handle.hasEnded()
      const until = async (end: number): Promise<void> => {
        while (!hasEnded() && performance.now() < end) await sleep(GLANCE)
      }
      const late = sleep(timeout, 'late' as const, { ref: false })
      const outcome = await Promise.race([one.request('stop').catch((error: Error) => error), late])
      if (outcome === 'late') throw new ControlError(`process ${pid} has not ended after ${timeout / 1000} s`)
      // A process that ends at once, by a second signal, says nothing any more.
      await until(
        outcome instanceof Error ? performance.now() + 1000 : Math.min(deadline, performance.now() + AFTERWARDS),
      )
      if (outcome instanceof Error && !hasEnded()) throw outcome
      return { pid, hasEnded: hasEnded() }
    } finally {
      handle?.close()
    }
  })
}

/**
 * How the supervisors of this user are, and their workers; root gets those of all users. One of an earlier version tells
 * its status only.
 *
 * @param which Left out: all. Empty where there is no such supervisor.
 * @param warn Is told of those that do not answer as they should.
 */
export async function supervisorVitals(
  which?: number | string,
  warn: Warn = () => {},
): Promise<readonly (SupervisorVitals | SupervisorStatus)[]> {
  const earlier = new Set<number>()
  const first = await answers(
    await reachSupervisors('all', warn),
    async (one) => {
      try {
        return [await one.vitals()]
      } catch (error) {
        if (!(error instanceof EarlierVersionError)) throw error
        earlier.add(one.peer.pid)
        return []
      }
    },
    warn,
  )
  const others = earlier.size === 0 ? [] : await statusesOf((pid) => earlier.has(pid), 'all', warn)
  return named(which === undefined ? undefined : String(which), [...first.flat(), ...others])
}

async function statusesOf(
  isWanted: (pid: number) => boolean,
  whose: 'own' | 'all',
  warn: Warn,
): Promise<readonly SupervisorStatus[]> {
  const reached = await reachSupervisors(whose, warn)
  for (const one of reached) if (!isWanted(one.peer.pid)) one.close()
  return answers(
    reached.filter(({ peer }) => isWanted(peer.pid)),
    (one) => one.status(),
    warn,
  )
}

/** @throws ControlError, and what `work` throws. */
async function command<T>(which: Which, warn: Warn, work: (one: ReachedSupervisor) => Promise<T>): Promise<T> {
  const word = which === undefined ? undefined : String(which)
  const pid = word !== undefined && /^\d{1,10}$/.test(word) ? Number(word) : undefined
  const reached = await reachSupervisors(pid === undefined ? 'own' : 'all', warn)
  const meant = word === undefined ? reached : reached.filter(({ peer }) => peer.pid === pid)
  const direct = meant.length === 1 ? meant[0] : undefined
  for (const one of reached) if (one !== direct) one.close()
  const found = direct ?? (await reachNamed(word, warn))
  try {
    return await work(found)
  } finally {
    found.close()
  }
}

/** A supervisor takes one command on a connection: what it is called is asked on another one. */
async function reachNamed(word: string | undefined, warn: Warn): Promise<ReachedSupervisor> {
  const all = await statusesOf(() => true, 'own', warn)
  const found = named(word, all)
  const [only, other] = found
  if (other !== undefined) {
    const what = word === undefined ? 'there are several supervisors' : `${word} may be one of several supervisors`
    const text = `${what}: give the pid, script or port of one (running: ${pidsOf(found)})`
    throw new ControlError(text, 'ERR_REUSEPORT_AMBIGUOUS', found)
  }
  const reached = only === undefined ? [] : await reachSupervisors('own', warn)
  const one = reached.find(({ peer }) => peer.pid === only?.pid)
  for (const other of reached) if (other !== one) other.close()
  if (one !== undefined) return one
  throw new ControlError(`this user has no such supervisor (running: ${pidsOf(all)})`, 'ERR_REUSEPORT_CONTROL', all)
}

function pidsOf(all: readonly SupervisorStatus[]): string {
  return all.map(({ pid }) => pid).join(', ') || 'none'
}
