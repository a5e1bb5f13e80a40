// The processes that the benchmark has started. None outlives it.
import { fork, spawn } from 'node:child_process'
import process from 'node:process'

/** @type {Set<import('node:child_process').ChildProcess>} */
const living = new Set()

/** @template {import('node:child_process').ChildProcess} Child @param {Child} child */
function keep(child) {
  living.add(child)
  child.on('close', () => living.delete(child))
  return child
}

/** Kills the group of a process that leads one. @param {import('node:child_process').ChildProcess} child */
export function killGroup({ pid }) {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
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
})
for (const [signal, number] of /** @type {const} */ ([
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
])) {
  process.on(signal, () => process.exit(128 + number))
}
