import { readFileSync } from 'node:fs'
import process from 'node:process'

/** In bytes, without what is swapped out; undefined where the system does not tell. Linux: proc_pid_status(5), VmRSS. */
export function residentMemory(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d{1,15}) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}

/** @throws Error where the system does not tell how much memory a process has. */
export function assertMeasurable(): void {
  if (residentMemory(process.pid) !== undefined) return
  throw new Error('the option maxMemory needs Linux with /proc: this system does not tell the memory of a process')
}
