// Platformatic Watt. Its workers are threads, and share a port by Node's `reusePort`.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { cachedPackage } from '../../scripts/cached-package.mjs'
import { lastSteps } from '../common/children.js'
import { node } from '../common/servers-node.js'
import { WORKERS } from './manager.js'
import { environment, foreground, program, runNode } from './starters.js'

const WATT = '3.65.0'

/** @returns {string} a folder of packages. Installs them where they are missing. */
function modules() {
  return cachedPackage('wattpm', WATT, [`@platformatic/node@${WATT}`, '--loglevel=error'])
}

/** Installs it where it is missing. @returns {string} its version */
export function prepareWatt() {
  modules()
  return WATT
}

/** A project with the program in it. @param {string} folder @param {number} port */
function writeProject(folder, port) {
  copyFileSync(program, path.join(folder, 'index.js'))
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'bench', type: 'module', main: 'index.js' }))
  const setting = {
    $schema: `https://schemas.platformatic.dev/@platformatic/node/${WATT}.json`,
    runtime: { workers: WORKERS, server: { hostname: '127.0.0.1', port }, logger: { level: 'warn' } },
  }
  writeFileSync(path.join(folder, 'watt.json'), JSON.stringify(setting))
  const scope = path.join(folder, 'node_modules/@platformatic')
  mkdirSync(scope, { recursive: true })
  symlinkSync(path.join(modules(), '@platformatic/node'), path.join(scope, 'node'))
}

/** @type {import('./manager.js').Starter} */
export async function startWatt(place) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'bench-watt-'))
  const lastStep = () => rmSync(folder, { recursive: true, force: true })
  lastSteps.add(lastStep)
  writeProject(folder, place.port)
  const command = path.join(modules(), 'wattpm/bin/cli.js')
  // `restart` replaces the workers; `reload` ends the runtime and starts another one.
  const started = foreground(node, [command, 'start', folder], environment(place), (pid) =>
    runNode([command, 'restart', String(pid)]),
  )
  return {
    ...started,
    async end() {
      await started.end()
      lastStep()
      lastSteps.delete(lastStep)
    },
  }
}
