// pm2 in cluster mode, with a home and a daemon of its own. `wait_ready`: the program says when it is ready.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PM2, pm2Command } from '../accept/packages.js'
import { lastSteps, signal } from '../common/children.js'
import { pidsBelow } from '../common/processes.js'
import { WORKERS } from './manager.js'
import { environment, program, runNode } from './starters.js'

/** Installs it where it is missing. @returns {string} its version */
export function preparePm2() {
  pm2Command()
  return PM2
}

/** Undefined before it is written. @param {string} home */
function daemonOf(home) {
  try {
    return Number(readFileSync(path.join(home, 'pm2.pid'), 'utf8'))
  } catch {
    return undefined
  }
}

/** The daemon and its workers. @param {string} home */
function processesOf(home) {
  const daemon = daemonOf(home)
  return daemon === undefined ? [] : pidsBelow(daemon)
}

/** @param {string} home */
function remove(home) {
  for (const pid of processesOf(home)) signal(pid, 'SIGKILL')
  rmSync(home, { recursive: true, force: true })
}

/** @type {import('./manager.js').Starter} */
export async function startPm2(place) {
  const home = mkdtempSync(path.join(os.tmpdir(), 'bench-pm2-'))
  const lastStep = () => remove(home)
  lastSteps.add(lastStep)
  const file = path.join(home, 'bench.config.json')
  const app = { name: 'bench', script: program, exec_mode: 'cluster', instances: WORKERS, wait_ready: true }
  writeFileSync(file, JSON.stringify({ apps: [{ ...app, env: environment(place) }] }))
  const env = { PM2_HOME: home, PM2_DISABLE_VERSION_CHECK: 'true' }
  /** @param {readonly string[]} args */
  const pm2 = (...args) => runNode([pm2Command(), ...args], env)
  const end = async () => {
    await pm2('kill').catch(() => {})
    for (let waited = 0; waited < 100 && processesOf(home).length > 0; waited++) await sleep(50)
    lastSteps.delete(lastStep)
    remove(home)
  }
  try {
    await pm2('start', file)
    const root = daemonOf(home)
    if (root === undefined) throw new Error('The daemon of pm2 has no pid file')
    const failure = () => (processesOf(home).length === 0 ? 'The daemon of pm2 has ended' : undefined)
    return { root, reload: () => pm2('reload', 'bench'), failure, end }
  } catch (error) {
    await end()
    throw error
  }
}
