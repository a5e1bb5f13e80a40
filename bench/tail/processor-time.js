import { readFileSync } from 'node:fs'

/** Linux counts the times of /proc in hundredths of a second for every program. proc_pid_stat(5), USER_HZ */
const TICKS = 100

/**
 * The seconds of processor time of these processes, in user mode and in the kernel.
 *
 * @param {readonly number[]} pids
 */
export function processorTime(pids) {
  return pids.reduce((sum, pid) => sum + ticksOf(readFileSync(`/proc/${pid}/stat`, 'latin1')), 0) / TICKS
}

/** The name of the program, in parentheses, may contain anything. @param {string} stat */
export function ticksOf(stat) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}
