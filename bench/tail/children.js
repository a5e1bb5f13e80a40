// The processes that the benchmark has started. None outlives it.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {Set<import('node:child_process').ChildProcess>} */
const living = new Set()

/** The workers that have a link. A supervisor gives each a group of its own. @type {Set<number>} */
export const workers = new Set()

/** @template {import('node:child_process').ChildProcess} Child @param {Child} child */
function keep(child) {
  living.add(child)
  child.on('close', () => living.delete(child))
  return child
}

/** Sends a signal to a process, or to a group where the number is negative, that may have ended. @param {number} pid @param {NodeJS.Signals} signal */
export function signal(pid, signal) {
  try {
    process.kill(pid, signal)
  } catch {
    // It has.
  }
}

/** Kills the group of a process that leads one. @param {import('node:child_process').ChildProcess} child */
export function killGroup({ pid }) {
  if (pid !== undefined) signal(-pid, 'SIGKILL')
}

/**
 * Starts a process that leads a group, so that its workers can be ended with it.
 *
 * @param {readonly string[]} args of Node
 * @param {Record<string, string>} env
 */
export function startGroup(args, env) {
  return keep(
    spawn(process.execPath, args, {
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    }),
  )
}

/** @param {string} script */
export function startProcess(script) {
  return keep(fork(script, [], { detached: true, serialization: 'advanced', execArgv: [] }))
}

process.on('exit', () => {
  for (const child of living) killGroup(child)
  for (const pid of workers) signal(pid, 'SIGKILL')
})

/** ms. Asked to end, a supervisor removes its control socket; what has not ended after this time is killed. */
const PATIENCE = 2000
let isEnding = false

/** @param {number} code */
async function end(code) {
  if (isEnding) process.exit(code)
  isEnding = true
  for (const pid of workers) signal(pid, 'SIGCONT')
  const closed = [...living].map((child) => {
    child.kill('SIGTERM')
    return once(child, 'close')
  })
  await Promise.race([Promise.all(closed), sleep(PATIENCE)])
  process.exit(code)
}

for (const [name, number] of /** @type {const} */ ([
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
])) {
  process.on(name, () => end(128 + number))
}
