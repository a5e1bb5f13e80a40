// The managers that the benchmarks compare.
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { end, errorsOf, start } from '../common/children.js'
import { command } from '../common/command.js'
import { node } from '../common/servers-node.js'

/** @typedef {import('./manager.js').Place} Place */
/** @typedef {import('./manager.js').Started} Started */

export const program = fileURLToPath(new URL('./program.js', import.meta.url))
const COMMAND_LIMIT = 40_000 // ms

/** What the program is told. @param {Place} place */
export const environment = ({ port, link, tellsAccepted }) => ({
  BENCH_PORT: String(port),
  BENCH_LINK: link,
  BENCH_ACCEPTED: tellsAccepted ? '1' : '0',
})

/** Runs a command of a manager to its end. @param {readonly string[]} args of Node @param {NodeJS.ProcessEnv} [env] */
export async function runNode(args, env = {}) {
  const child = start(node, args, { env })
  const errors = errorsOf(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_LIMIT)
  const [code, by] = await once(child, 'exit')
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${args.join(' ')} ended by ${by ?? code}. ${errors()}`)
}

/**
 * A manager that stays in the foreground. `reload` is told its process.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {(pid: number) => unknown} reload
 * @returns {Started}
 */
export function foreground(file, args, env, reload) {
  const child = start(file, args, { env })
  const { pid } = child
  const errors = errorsOf(child)
  // A process that could not be started has told why.
  child.on('error', () => {})
  if (pid === undefined) throw new Error(`${file} does not start`)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    root: pid,
    reload: async () => reload(pid),
    failure: () => (hasEnded() ? `${file} has ended. ${errors()}` : undefined),
    end: () => end(child),
  }
}

/** @param {Place} place */
export async function startOurs(place) {
  return foreground(node, [command, 'run', '-n', '2', program], environment(place), (pid) =>
    runNode([command, 'reload', String(pid)]),
  )
}

/** @param {'rr' | 'none'} policy @returns {import('./manager.js').Starter} */
export function startCluster(policy) {
  const primary = fileURLToPath(new URL('./cluster.js', import.meta.url))
  return async (place) =>
    foreground(node, [primary, program], { ...environment(place), NODE_CLUSTER_SCHED_POLICY: policy }, (pid) =>
      process.kill(pid, 'SIGHUP'),
    )
}
