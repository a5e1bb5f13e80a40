// pm2 in cluster mode, with a home and a daemon of its own. `wait_ready`: the program says when it is ready.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PM2, pm2Command } from '../accept/packages.js'
import { lastSteps, signal } from '../common/children.js'
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

/**
 * All processes of pm2 with this home: the daemon, which has no pid file at first, its workers, and commands.
 *
 * @param {string} home
 */
function processesOf(home) {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const variables = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/environ`, 'latin1').split('\0') : []
      return variables.includes(`PM2_HOME=${home}`) ? [Number(name)] : []
    } catch {
      // It has ended, or is another user's.
      return []
    }
  })
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
    const failure = () => (existsSync(`/proc/${root}`) ? undefined : 'The daemon of pm2 has ended')
    return { root, reload: () => pm2('reload', 'bench'), failure, end }
  } catch (error) {
    await end()
    throw error
  }
}
