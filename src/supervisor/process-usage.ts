// Pure: what the kernel tells of a process, by the texts of files that the caller reads. proc_pid_stat(5), proc_pid_status(5)
import type { Read } from './cgroup.js'

export interface Usage {
  /** ms of CPU time so far. */
  readonly cpu?: number
  /** Bytes in memory. */
  readonly memory?: number
}

/** A clock tick is 10 ms on each architecture that Node runs on: USER_HZ of the kernel is 100. */
const TICK = 10

/** Also of a process that hangs or is stopped. Empty where there is no such process, and on other systems than Linux. */
export function usageOf(pid: number, read: Read): Usage {
  // The name of the program may have spaces and parentheses. utime and stime are the 12th and 13th field after it.
  const fields = /^\d+ \(.*\) (.*)$/s.exec(read(`/proc/${pid}/stat`) ?? '')?.[1]?.split(' ') ?? []
  const ticks = Number(fields[11]) + Number(fields[12])
  const memory = memoryOf(pid, read)
  return {
    ...(Number.isFinite(ticks) && { cpu: ticks * TICK }),
    ...(memory !== undefined && { memory }),
  }
}

/** The memory alone, without what is swapped out. */
export function memoryOf(pid: number, read: Read): number | undefined {
  // Not from statm, which counts in pages, whose size differs.
  const [, kilobytes] = /^VmRSS:\s+(\d{1,12}) kB$/m.exec(read(`/proc/${pid}/status`) ?? '') ?? []
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
