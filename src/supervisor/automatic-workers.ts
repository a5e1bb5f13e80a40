import { availableParallelism, cpus } from 'node:os'
import { type CpuQuota, cpuQuota } from './cpu-quota.js'
import { readBounded } from './read-bounded.js'

/** @internal */
export const MOST_WORKERS = 1024

/** What limits the number of workers with `'auto'`. */
export type WorkersLimit = {
  /** CPUs of this machine. */
  readonly cpus: number
} & (
  | { readonly limit: 'cpus' }
  /** The CPUs that this process may run on, by a cpuset or `taskset`. */
  | { readonly limit: 'affinity' }
  /** `quota`: CPUs, may be a fraction; `cgroup`: the folder of the cgroup that has it. */
  | ({ readonly limit: 'quota' } & CpuQuota)
  /** 1024, the most that a supervisor has. */
  | { readonly limit: 'most' }
)

/** @internal */
export interface AutomaticWorkers {
  readonly workers: number
  readonly from: WorkersLimit
}

/** @internal Read anew at each call: a quota can change. */
export function automaticWorkers(): AutomaticWorkers {
  return chooseWorkers(availableParallelism(), cpus().length, cpuQuota(readBounded))
}

/**
 * A quota is rounded down, as in the number of Node where it knows quotas (libuv 1.49 and later), so that the number of
 * workers is the same with all versions of Node. Node leaves out quotas below 1 and those of cgroup version 1.
 * @internal @param available The value of `os.availableParallelism()`. @param machine CPUs, or 0 where it is not known.
 */
export function chooseWorkers(available: number, machine: number, quota: CpuQuota | undefined): AutomaticWorkers {
  const all = Math.max(available, machine)
  const allowed = quota === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(quota.quota))
  const workers = Math.min(available, allowed, MOST_WORKERS)
  if (workers === all) return { workers, from: { limit: 'cpus', cpus: all } }
  // The number of a newer Node has the quota in it: where both are the same, the quota is named.
  if (workers === allowed && quota !== undefined) return { workers, from: { limit: 'quota', cpus: all, ...quota } }
  return { workers, from: { limit: workers === available ? 'affinity' : 'most', cpus: all } }
}
