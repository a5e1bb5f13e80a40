import { accessSync, constants, opendirSync, statSync } from 'node:fs'
import process from 'node:process'
import { capabilities, ReusePortUnsupportedError } from '../index.js'
import { misspeltVariables } from '../options/variables.js'
import type { Read } from './cgroup.js'
import { assertNotItself } from './itself.js'
import type { Settings } from './options.js'
import { assertPinnable } from './pin.js'
import { memoryOf } from './process-usage.js'
import { readBounded } from './read-bounded.js'
import { scriptPath, toFile } from './script-option.js'

/**
 * Decides how the workers share their ports on this system.
 *
 * @returns whether all workers accept from one socket.
 * @throws ReusePortUnsupportedError where the workers cannot share a port; ENOENT or EACCES, with the name of the
 * option, for a file that cannot be read; SupervisorError where the workers would be supervisors; Error where workers
 * cannot be pinned.
 */
export function checkPreconditions(settings: Settings, warn: (message: string) => void): boolean {
  const { fallback, oneSocket, pin, cwd, env, envFile } = settings
  check('cwd', cwd, (folder) => opendirSync(folder).closeSync())
  check('script', scriptPath(settings), checkScript)
  if (envFile !== undefined) check('envFile', envFile, (file) => accessSync(file, constants.R_OK))
  assertNotItself(settings)
  if (pin) assertPinnable()
  if (settings.maxMemory !== undefined) assertMeasurable(readBounded)
  const { addon, balanced, reasons } = capabilities()
  // Node can share a port by itself, but only the addon can make a worker listen on a socket that the supervisor holds.
  const against = balanced && !addon ? `the native addon is missing: ${reasons.addon}` : reasons.balanced
  if (against !== undefined && fallback === 'error') throw new ReusePortUnsupportedError(against)
  for (const warning of misspeltVariables(env)) warn(warning)
  if (against === undefined && !oneSocket) return false
  const why = against === undefined ? '' : `: ${against}`
  warn(`all workers accept from one socket, so the kernel does not balance connections${why}`)
  return true
}

function check(option: keyof Settings, path: string, look: (path: string) => void): void {
  try {
    look(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const because = new Error(`the option '${option}' must name what can be read, not '${path}': ${message}`)
    throw Object.assign(because, { code, option, path })
  }
}

/** @internal @throws Error where the system does not tell how much memory a process has. */
export function assertMeasurable(read: Read): void {
  if (memoryOf(process.pid, read) !== undefined) return
  throw new Error('the option maxMemory needs Linux with /proc: this system does not tell the memory of a process')
}

function checkScript(script: string): void {
  const file = toFile(script)
  accessSync(file, constants.R_OK)
  if (!statSync(file).isDirectory()) return
  const text = 'the folder has neither an index.js nor a "main" in its package.json'
  throw Object.assign(new Error(text), { code: 'ENOENT' })
}
