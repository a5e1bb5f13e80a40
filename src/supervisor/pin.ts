import { getSystemErrorName } from 'node:util'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'

/**
 * Runs `work` while this thread is restricted to one CPU. A process or thread that `work` starts inherits and keeps the
 * restriction. The CPU is number `index`, modulo their count, of the CPUs that this thread may use; undefined means no
 * restriction. Linux: sched_setaffinity(2).
 *
 * @throws Error where the addon is missing or the system refuses.
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
    // The result is ignored: the kernel accepts the set of CPUs that it reported before.
    addon.setCpus(cpus)
  }
}

/** @throws Error where workers cannot be pinned here. */
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
