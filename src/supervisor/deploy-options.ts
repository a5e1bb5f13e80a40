// Pure: the options for when a worker is replaced, and whether a new one is good.
import { SupervisorOptionError, text, time } from './option-values.js'

/** The options of `Supervisor` for when a worker is replaced, and whether a new one is good. */
export interface DeployOptions {
  /**
   * A path, such as `'/healthz'`, for which each new worker is asked, over a connection that the supervisor hands to it: `GET`
   * with the host `localhost`. A response of 200 to 399 within `readyTimeout` is that of a healthy worker. A worker that
   * follows a dead one is not asked. Not with `threads`. Default: nobody is asked.
   */
  readonly health?: string | undefined
  /**
   * ms for which the first new worker of a reload serves beside the one that it replaces. If it dies or is unhealthy in that
   * time, it goes, the old one goes on, and the reload has failed. Default 0.
   */
  readonly soak?: number | undefined
  /**
   * Bytes of resident memory of one worker, from 1048576 on: a worker that has as many is replaced without loss, one worker at
   * a time. Not with `threads`. Default: no limit. Linux.
   */
  readonly maxMemory?: number | undefined
  /** ms from 1000 on: a worker that has served for so long is replaced without loss, one at a time. Default: no limit. */
  readonly maxAge?: number | undefined
  /** ms: each worker may serve up to so much longer than `maxAge`, by chance. Default a tenth of `maxAge`. */
  readonly maxAgeJitter?: number | undefined
}

/** @internal */
export interface DeploySettings {
  readonly health: string | undefined
  readonly soak: number
  readonly maxMemory: number | undefined
  readonly maxAge: number | undefined
  readonly maxAgeJitter: number
}

/** @internal */
export const DEPLOY_OPTIONS: readonly (keyof DeployOptions)[] = [
  'health',
  'soak',
  'maxMemory',
  'maxAge',
  'maxAgeJitter',
]

const LEAST_MEMORY = 1 << 20

type Given = DeployOptions & { readonly threads?: boolean | undefined }

/** @internal @throws SupervisorOptionError */
export function parseDeployOptions(options: Given): DeploySettings {
  const { maxAgeJitter, maxMemory, threads } = options
  const health = text(options, 'health')
  if (health !== undefined && !/^\/[!-~]{0,1023}$/.test(health)) {
    throw new SupervisorOptionError(
      'health',
      health,
      "a path that begins with '/', in at most 1024 characters of ASCII",
    )
  }
  // Node cannot pass a connection to a thread, and the memory is that of the whole process.
  if (threads === true && health !== undefined) refuseThreads('health', health)
  if (threads === true && maxMemory !== undefined) refuseThreads('maxMemory', maxMemory)
  if (maxMemory !== undefined && !(Number.isSafeInteger(maxMemory) && maxMemory >= LEAST_MEMORY)) {
    throw new SupervisorOptionError('maxMemory', maxMemory, `a whole number of bytes from ${LEAST_MEMORY} on`)
  }
  const maxAge = options.maxAge === undefined ? undefined : time(options, 'maxAge', 0, 1000)
  if (maxAge === undefined && maxAgeJitter !== undefined) {
    throw new SupervisorOptionError('maxAgeJitter', maxAgeJitter, "undefined where 'maxAge' is undefined")
  }
  return {
    health,
    soak: time(options, 'soak', 0),
    maxMemory,
    maxAge,
    maxAgeJitter: time(options, 'maxAgeJitter', (maxAge ?? 0) / 10),
  }
}

function refuseThreads(option: string, value: unknown): never {
  throw new SupervisorOptionError(option, value, "undefined where 'threads' is true")
}
