// Pure: the errors of a supervisor, and how the ends of workers are said.
import { describeListen, type ListenFailure } from '../common/listen-failure.js'
import type { SupervisorStatus } from './control-protocol.js'
import type { WorkerExit } from './launch.js'

/** @internal Why a worker did not become ready. `listen`: what its last call of `listen` met, where that failed. */
export type WorkerFailure =
  /** `upTime`: ms from ready to its end; undefined where it was not ready. */
  | {
      readonly why: 'exited'
      readonly exit: WorkerExit
      readonly upTime?: number | undefined
      readonly listen?: ListenFailure | undefined
    }
  | { readonly why: 'late'; readonly timeout: number; readonly listen?: ListenFailure | undefined }
  /** Its program does not answer as a healthy one. `within`: ms that it had for that; undefined during the soak. */
  | {
      readonly why: 'unhealthy'
      readonly path: string
      readonly problem: string
      readonly within: number | undefined
    }
  | { readonly why: 'stopped' }

/**
 * The supervisor could not start, replace or keep its workers running, or a method was called in the wrong state. The
 * message says why.
 */
export class SupervisorError extends Error {
  readonly code: 'ERR_REUSEPORT_WORKER_FAILED' | 'ERR_REUSEPORT_GAVE_UP' | 'ERR_REUSEPORT_SUPERVISOR_STATE'

  constructor(code: SupervisorError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * The process at a control socket is not the supervisor that it should be, or does not answer as one; or there is no such
 * supervisor; or (`ERR_REUSEPORT_AMBIGUOUS`) there are several that could be meant.
 */
export class ControlError extends Error {
  readonly code: 'ERR_REUSEPORT_CONTROL' | 'ERR_REUSEPORT_AMBIGUOUS'
  /** Where none or several could be meant: those that run, or those that could be meant. */
  readonly supervisors: readonly SupervisorStatus[]

  constructor(
    message: string,
    code: ControlError['code'] = 'ERR_REUSEPORT_CONTROL',
    supervisors: readonly SupervisorStatus[] = [],
  ) {
    super(message)
    this.code = code
    this.supervisors = supervisors
  }
}

/** @internal The failure as the rest of a sentence that begins with the name of the worker. */
export function describeFailure(failure: WorkerFailure): string {
  switch (failure.why) {
    case 'late':
      return `did not listen on a port within ${failure.timeout / 1000} s${failure.listen === undefined ? '' : `: it ${describeListen(failure.listen)}`}`
    case 'stopped':
      return 'was stopped before it was ready'
    case 'unhealthy': {
      const { path, problem, within } = failure
      const when = within === undefined ? 'during its soak' : `within ${within / 1000} s`
      return `was not healthy ${when}: GET ${path} ${problem}`
    }
    case 'exited': {
      const { exit, listen, upTime } = failure
      // Killed by somebody else, or not started: that has nothing to do with the port.
      if (listen !== undefined && exit.signal === null && upTime === undefined) return describeListen(listen)
      const when = upTime === undefined ? 'before it was ready' : `${(upTime / 1000).toFixed(1)} s after it was ready`
      return `${describeExit(exit)} ${when}`
    }
  }
}

/** @internal The exit as the rest of a sentence that begins with the name of the worker. */
export function describeExit({
  code,
  signal,
  error,
}: {
  readonly code: number | null
  readonly signal: string | null
  readonly error: Error | undefined
}): string {
  if (error !== undefined && code === null) return `could not be started (${error.message})`
  if (error !== undefined) return `threw ${error.name}: ${error.message}`
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`
}

/** @internal */
export function workerError(slot: number, failure: WorkerFailure): SupervisorError {
  const cause = failure.why === 'exited' ? failure.exit.error : undefined
  // A start or reload that the end of the supervisor has cut short is no failure of a worker.
  const code = failure.why === 'stopped' ? 'ERR_REUSEPORT_SUPERVISOR_STATE' : 'ERR_REUSEPORT_WORKER_FAILED'
  return new SupervisorError(code, `worker ${slot} ${describeFailure(failure)}`, cause)
}
