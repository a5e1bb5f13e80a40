import { getSystemErrorName } from 'node:util'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'

/**
 * Does `work` with this thread on one CPU: what it starts meanwhile, a process or a thread, stays there. The CPU is the
 * `index`-th of those that this thread may use, counted around; undefined for all of them. Linux: sched_setaffinity(2).
 *
 * @throws where the system refuses.
 */
export function pinned<T>(index: number | undefined, work: () => T): T {
  if (index === undefined) return work()
  const { addon, cpus } = usable()
  const cpu = cpus[index % cpus.length] as number
  const failure = addon.setCpus(Float64Array.of(cpu))
  if (failure !== undefined) throw toError(failure)
  try {
    return work()
  } finally {
    // It may always have back what it had.
    addon.setCpus(cpus)
  }
}

/** @throws where workers cannot be pinned here. */
export function assertPinnable(): void {
  usable()
}

function usable(): { readonly addon: Addon; readonly cpus: Float64Array } {
  const state = loadAddon()
  if (!state.loaded) throw new Error(`workers cannot be pinned: ${state.reason}`)
  const cpus = state.addon.getCpus()
  if (!(cpus instanceof Float64Array)) throw toError(cpus)
  return { addon: state.addon, cpus }
}

function toError({ errno, syscall }: { readonly errno: number; readonly syscall: string }): Error {
  return new Error(`workers cannot be pinned: ${syscall} ${getSystemErrorName(errno)}`)
}
