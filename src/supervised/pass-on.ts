// How a primary of cluster passes the preload on to its workers.
import { realpathSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { isRequirable, requiring, requiringInText } from '../supervisor/preload-options.js'

interface Forking {
  fork(env?: Readonly<Record<string, unknown>>): unknown
  settings: { execArgv?: readonly string[] }
}

const NAME = 'reuseport/register'

/** Workers that `cluster.fork` starts get the preload by `--require`, also where this process has it by `--import`. */
export function passOnByRequire(preload: string): void {
  const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)]
  const isEnabled = (process.features as { readonly require_module?: boolean }).require_module === true
  if (!options.some((option) => option.startsWith('--import'))) return
  if (!isRequirable(process.versions.node, options, isEnabled)) return
  const folder = process.cwd()
  const toFile = (specifier: string): string | undefined => {
    if (specifier === NAME) return NAME
    if (!/^(file:|\.{0,2}\/)/.test(specifier)) return undefined
    try {
      const file = specifier.startsWith('file:') ? fileURLToPath(specifier) : path.resolve(folder, specifier)
      return realpathSync(file) === preload ? preload : undefined
    } catch {
      return undefined
    }
  }
  const cluster = process.getBuiltinModule('node:cluster') as unknown as Forking
  const { fork } = cluster
  cluster.fork = function (env): unknown {
    const { execArgv } = process
    const given = cluster.settings.execArgv
    // Node removes a variable that is there and undefined.
    const options = env !== undefined && 'NODE_OPTIONS' in env ? env['NODE_OPTIONS'] : process.env['NODE_OPTIONS']
    const text = String(options ?? '')
    const workerEnv = text === '' ? env : { ...env, NODE_OPTIONS: requiringInText(text, toFile) }
    process.execArgv = [...requiring(execArgv, toFile)]
    if (given !== undefined) cluster.settings.execArgv = requiring(given, toFile)
    try {
      return Reflect.apply(fork, this, [workerEnv])
    } finally {
      // The program sees the options as they are.
      process.execArgv = execArgv
      cluster.settings.execArgv = given ?? execArgv
    }
  }
  syncBuiltinESMExports()
}
