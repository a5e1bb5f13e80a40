// Pure: the CPU quota of a process, by the texts of files that the caller reads. cgroups(7)
import { cgroupsWith, type Read } from './cgroup.js'

/** The smallest CPU quota that holds for a process. */
export interface CpuQuota {
  /** CPUs; may be a fraction. */
  readonly quota: number
  /** The folder of the cgroup that has this quota. */
  readonly cgroup: string
}

/** The files of a level: those of version 2 (one file, two numbers), and of version 1. */
const FILES = { cgroup2: ['cpu.max'], cgroup: ['cpu.cfs_quota_us', 'cpu.cfs_period_us'] } as const

/** A quota limits the cgroups below it too, so each level counts, up to the root of the mount. */
export function cpuQuota(read: Read): CpuQuota | undefined {
  let least: CpuQuota | undefined
  for (const { folders, type } of cgroupsWith('cpu', read)) {
    for (const cgroup of folders) {
      const quota = toQuota(FILES[type].map((file) => read(`${cgroup}/${file}`)).join(' '))
      if (quota < (least?.quota ?? Number.POSITIVE_INFINITY)) least = { quota, cgroup }
    }
  }
  return least
}

/** `max` and -1 stand for no quota. A quota or a period of 0 cannot be set, so such a file says nothing. */
function toQuota(text: string): number {
  const [, quota, period] = /^(\d{1,18})\s+(\d{1,18})\s*$/.exec(text) ?? []
  return Number(quota) / Number(period) || Number.POSITIVE_INFINITY
}
