// Pure: why workers end.
import { describeExit } from './errors.js'
import type { WorkerExit } from './launch.js'

/**
 * Why a worker has ended: `'told'` (it was replaced, scaled away or stopped, or a signal asked it to end), `'exit'` (by
 * itself), `'error'` (it was not started, or a thread threw), `'signal'` (one that the supervisor did not send), `'oom'` (the
 * kernel's OOM killer, as far as its count tells), `'hang'` (`hangTimeout`), `'not-ready'` (`readyTimeout`), `'late'` (it was
 * told to end and did not in time).
 */
export type ExitCause = 'told' | 'exit' | 'error' | 'signal' | 'oom' | 'hang' | 'not-ready' | 'late'

/** @internal */
export const EXIT_CAUSES: readonly ExitCause[] = ['told', 'exit', 'error', 'signal', 'oom', 'hang', 'not-ready', 'late']

/** Why the supervisor itself ends a worker at once. */
export type KillCause = Extract<ExitCause, 'hang' | 'not-ready' | 'late'>

/** @param isOom Whether the kernel's OOM killer has ended a process. It is asked only where that may be the cause. */
export function causeOf(
  { error, signal }: WorkerExit,
  killedFor: KillCause | undefined,
  isExpected: boolean,
  isOom: () => boolean,
): ExitCause {
  if (killedFor !== undefined) return killedFor
  if (isExpected) return 'told'
  if (error !== undefined) return 'error'
  if (signal === null) return 'exit'
  return signal === 'SIGKILL' && isOom() ? 'oom' : 'signal'
}

/** The exit as the rest of a sentence that begins with the name of the worker. */
export function describeCause(cause: ExitCause, exit: WorkerExit): string {
  if (cause === 'hang') return 'did not answer and was ended'
  if (cause === 'not-ready') return 'did not listen in time and was ended'
  if (cause === 'late') return 'did not end in time when it was told to, and was killed'
  if (cause === 'oom') return 'was ended by SIGKILL, by the OOM killer of the kernel'
  const how = describeExit(exit)
  return cause === 'signal' && exit.signal === 'SIGKILL' ? `${how}, not by this supervisor` : how
}
