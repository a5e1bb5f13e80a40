// Starts a competitor, and ends it.
import { fileURLToPath } from 'node:url'
import { end, errorsOf, start } from '../common/children.js'
import { command } from '../common/command.js'
import { freePort, untilServed } from '../common/ports.js'
import { node } from '../common/servers-node.js'
import { ceiling } from './ceiling.js'
import { unixSocketPackage } from './packages.js'
import { startPm2 } from './pm2.js'

export const WORKERS = 2

/** `root`: the process above all others of the server. @typedef {{ port: number, root: number, end: () => Promise<void> }} Servers */

/** @param {string} name */
const file = (name) => fileURLToPath(new URL(name, import.meta.url))
const app = file('./app.js')

/** @type {(how: string, port: number) => readonly [string, readonly string[], Record<string, string>]} */
function programOf(how, port) {
  const count = String(WORKERS)
  const parent = file('./parent.js')
  const env = { PORT: String(port) }
  switch (how) {
    case 'cluster-rr':
    case 'cluster-shared':
      return [
        node,
        [parent, 'cluster', count, env.PORT],
        { NODE_CLUSTER_SCHED_POLICY: how === 'cluster-rr' ? 'rr' : 'none' },
      ]
    case 'run':
      return [node, [command, 'run', '-n', count, app], env]
    case 'cpu':
      return [node, [command, 'run', '-n', count, '--steering', 'cpu', '--pin', app], env]
    case 'c':
      return [ceiling(), [env.PORT, count], {}]
    case 'single':
      return [node, [app], env]
    default:
      return [
        node,
        [parent, how === 'control' ? 'ours' : how, count, env.PORT],
        how === 'node-unix-socket' ? { BENCH_PACKAGE: unixSocketPackage() } : {},
      ]
  }
}

/** @param {string} how @returns {Promise<Servers>} */
export async function startServers(how) {
  const port = await freePort()
  if (how === 'pm2') return startPm2(app, port, WORKERS)
  const [program, args, env] = programOf(how, port)
  const child = start(program, args, { env })
  const errors = errorsOf(child)
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  try {
    await untilServed(port, how === 'single' ? 1 : WORKERS, { failure: () => (hasEnded() ? errors() : undefined) })
  } catch (error) {
    await end(child)
    throw new Error(`${error instanceof Error ? error.message : error} ${errors()}`.trim())
  }
  return { port, root: child.pid ?? 0, end: () => end(child) }
}
