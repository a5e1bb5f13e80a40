// Processor time of all processes of a server, of those that have ended too, as Linux counts it in /proc.
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts the times of /proc in hundredths of a second for every program. proc_pid_stat(5), USER_HZ */
const TICKS = 100

/** Seconds. @typedef {{ user: number, system: number }} Times */
/** @typedef {{ pid: number, parent: number } & Times} Stat */

/**
 * A line of /proc/<pid>/stat. The times include those of children that have ended and were waited for. The name of the program,
 * in parentheses, may contain anything.
 *
 * @param {string} text
 * @returns {Stat}
 */
export function parseStat(text) {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  /** @param {number} field its number in proc_pid_stat(5) */
  const value = (field) => Number(fields[field - 3])
  return {
    pid: Number.parseInt(text, 10),
    parent: value(4),
    user: (value(14) + value(16)) / TICKS,
    system: (value(15) + value(17)) / TICKS,
  }
}

/**
 * These processes and all below them.
 *
 * @param {readonly Stat[]} all
 * @param {readonly number[]} roots
 * @returns {Stat[]}
 */
export function treeOf(all, roots) {
  const own = all.filter(({ pid }) => roots.includes(pid))
  const below = all.filter(({ pid, parent }) => roots.includes(parent) && !roots.includes(pid))
  return below.length === 0 ? own : treeOf(all, [...roots, ...below.map(({ pid }) => pid)])
}

/** @returns {Stat[]} */
function allProcesses() {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      return [parseStat(readFileSync(`/proc/${name}/stat`, 'latin1'))]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

/** The numbers of these processes and of all below them. @param {...number} roots */
export function pidsBelow(...roots) {
  return treeOf(allProcesses(), roots).map(({ pid }) => pid)
}

/**
 * The processor time that these processes and all below them have used so far.
 *
 * @param {...number} roots
 * @returns {Times}
 */
export function timesOf(...roots) {
  const tree = treeOf(allProcesses(), roots)
  return {
    user: tree.reduce((sum, { user }) => sum + user, 0),
    system: tree.reduce((sum, { system }) => sum + system, 0),
  }
}

/**
 * Microseconds of processor time for each of `count` requests.
 *
 * @param {Times} before
 * @param {Times} after
 * @param {number} count
 */
export function microsPer(before, after, count) {
  const [user, system] = [after.user - before.user, after.system - before.system].map((time) => (time * 1e6) / count)
  return { user: user ?? Number.NaN, system: system ?? Number.NaN, micros: (user ?? 0) + (system ?? 0) }
}
