import path from 'node:path'
import process from 'node:process'
import { supervision } from '../listen/supervision.js'
import { SupervisorError } from './errors.js'
import type { Settings } from './options.js'
import { CONFIGURATION_FD, REGISTER_URL, WORKER_GENERATION, WORKER_NAME, WORKER_SLOT } from './protocol.js'
import { scriptPath } from './script-option.js'

/** Variables that differ from one worker to the next. */
const OWN: readonly string[] = [CONFIGURATION_FD, REGISTER_URL, WORKER_NAME, WORKER_SLOT, WORKER_GENERATION]

/**
 * Refuses a supervisor in a worker that would start the worker's own program again, in the same way: so would that worker,
 * without end. A program that tells by a variable or an argument of its own which of the two it is to be is not refused.
 *
 * @throws SupervisorError
 */
export function assertNotItself(settings: Settings): void {
  // Not the environment variable: programs that a worker starts inherit it.
  if (supervision() === undefined) return
  const [, script = '', ...args] = process.argv
  const isSame =
    path.resolve(script) === scriptPath(settings) &&
    args.length === settings.args.length &&
    args.every((one, index) => one === settings.args[index]) &&
    isEqual(settings.env, process.env, [...OWN, settings.instanceVar])
  if (!isSame) return
  throw new SupervisorError(
    'ERR_REUSEPORT_SUPERVISOR_STATE',
    `the supervisor of ${scriptPath(settings)} runs in a worker that was started for that script: each worker would be a ` +
      'supervisor again. Start it in a program that is not its own script',
  )
}

function isEqual(one: NodeJS.ProcessEnv, other: NodeJS.ProcessEnv, but: readonly string[]): boolean {
  if (one === other) return true
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => but.includes(name) || one[name] === other[name])
}
