// The processes that a benchmark has started, each with its group. None outlives it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'

/** @type {Set<import('node:child_process').ChildProcess>} */
const living = new Set()
/** How long a process may take to end before it is killed, in ms. */
const PATIENCE = 5000

let isEnding = false

/** Signals a process, or a group where the number is negative, that may have ended. @param {number} pid @param {NodeJS.Signals} name */
export function signal(pid, name) {
  try {
    process.kill(pid, name)
  } catch {
    // It has.
  }
}

/**
 * Starts a process that leads a group. Its stdin is a pipe that closes when the benchmark ends, however it ends. With `ipc` it
 * has a channel for messages, and it must end where that closes.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, ipc?: boolean, output?: 'pipe' | 'ignore' }} [setting]
 */
export function start(command, args, { env = {}, ipc = false, output = 'ignore' } = {}) {
  if (isEnding) throw new Error('The benchmark was told to end')
  const child = spawn(command, args, {
    detached: true,
    stdio: ['pipe', output, 'pipe', ...(ipc ? /** @type {const} */ (['ipc']) : [])],
    env: { ...process.env, ...env },
  })
  living.add(child)
  child.once('close', () => living.delete(child))
  child.stdin?.on('error', () => {})
  return child
}

/** The beginning of what a process writes to stderr: for the message where it fails. @param {import('node:child_process').ChildProcess} child */
export function errorsOf(child) {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (part) => {
    text = (text + part).slice(0, 2000)
  })
  return () => text.trim()
}

/**
 * The next message of a process with a channel. Rejected where it ends before, or does not tell in time.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {{ milliseconds?: number, errors?: () => string }} [setting]
 * @returns {Promise<any>}
 */
export async function message(child, { milliseconds = 20_000, errors = () => '' } = {}) {
  const aborted = AbortSignal.timeout(milliseconds)
  const ended = new AbortController()
  const onExit = () => ended.abort()
  child.once('close', onExit)
  try {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error()
    const [told] = await once(child, 'message', { signal: AbortSignal.any([aborted, ended.signal]) })
    return told
  } catch {
    const what = aborted.aborted ? `told nothing in ${milliseconds / 1000} s` : 'has ended'
    throw new Error(`${child.spawnargs.slice(0, 3).join(' ')} ${what}. ${errors()}`.trim())
  } finally {
    child.off('close', onExit)
  }
}

/**
 * Starts a process and waits until it has ended by itself. Rejected where it fails, or takes longer than a minute.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export async function run(command, args, env) {
  const child = start(command, args, { env })
  const errors = errorsOf(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const [code, name] = await once(child, 'close')
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code ?? name}. ${errors()}`.trim())
}

/** Tells a process to end, waits until it has, and kills what is left of its group. @param {import('node:child_process').ChildProcess} child */
export async function end(child, name = /** @type {NodeJS.Signals} */ ('SIGTERM')) {
  const { pid } = child
  if (pid === undefined) return
  const timer = setTimeout(() => signal(-pid, 'SIGKILL'), PATIENCE)
  const closed = living.has(child) ? once(child, 'close') : undefined
  child.stdin?.end()
  child.kill(name)
  await closed
  clearTimeout(timer)
  signal(-pid, 'SIGKILL')
}

/** What must be done synchronously before the benchmark's process ends. @type {Set<() => void>} */
export const lastSteps = new Set()

process.on('exit', () => {
  for (const { pid } of living) if (pid !== undefined) signal(-pid, 'SIGKILL')
  for (const step of lastSteps) step()
})

for (const [name, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
])) {
  process.once(name, async () => {
    isEnding = true
    // Asked to end, a supervisor ends its workers and removes its control socket.
    await Promise.allSettled([...living].map((child) => end(child)))
    process.exit(code)
  })
}
