// pm2 in cluster mode, with a home and a daemon of its own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lastSteps, run, signal } from '../common/children.js'
import { untilServed } from '../common/ports.js'
import { pidsBelow } from '../common/processes.js'
import { node } from '../common/servers-node.js'
import { pm2Command } from './packages.js'

/** The process id of the daemon with this home, while it lives: it has the home in its title. @param {string} home */
function daemonOf(home) {
  try {
    const pid = readFileSync(path.join(home, 'pm2.pid'), 'utf8').trim()
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(home) ? Number(pid) : undefined
  } catch {
    return undefined
  }
}

/** Kills the daemon and its workers by their ids, and removes the home. @param {string} home */
function remove(home) {
  const daemon = daemonOf(home)
  if (daemon !== undefined) for (const pid of pidsBelow(daemon)) signal(pid, 'SIGKILL')
  rmSync(home, { recursive: true, force: true })
}

/**
 * @param {string} app
 * @param {number} port
 * @param {number} workers
 */
export async function startPm2(app, port, workers) {
  const home = mkdtempSync(path.join(tmpdir(), 'bench-pm2-'))
  const lastStep = () => remove(home)
  lastSteps.add(lastStep)
  const env = { PM2_HOME: home, PM2_DISABLE_VERSION_CHECK: 'true', PORT: String(port) }
  /** @param {readonly string[]} args */
  const pm2 = (...args) => run(node, [pm2Command(), ...args], env)
  const end = async () => {
    await pm2('kill').catch(() => {})
    for (let waited = 0; waited < 100 && daemonOf(home) !== undefined; waited++) await sleep(50)
    lastSteps.delete(lastStep)
    remove(home)
  }
  try {
    await pm2('start', app, '-i', String(workers), '--name', 'bench')
    const root = daemonOf(home)
    if (root === undefined) throw new Error('The daemon of pm2 has no pid file')
    await untilServed(port, workers)
    return { port, root, end }
  } catch (error) {
    await end()
    throw error
  }
}
