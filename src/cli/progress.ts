// How far a long start, reload or end has come: on a terminal, where somebody watches, and only where it takes long.
import type { Supervisor, WorkerInfo } from '../supervisor.js'

/** ms until the first line, and at most between two. */
const FIRST = 3000
const LONGEST = 12_000
const MOST_NAMED = 5

type Watched = Pick<Supervisor, 'state' | 'workers' | 'generation'>

/** @param waited ms since the last worker became ready or was told to leave. Undefined where nobody is waited for. */
export function progressText({ generation, state, workers }: Watched, now: number, waited: number): string | undefined {
  const slots = new Set(workers.map(({ slot }) => slot))
  const starting = workers.filter((worker) => worker.state === 'starting')
  const leaving = workers.filter((worker) => worker.state === 'leaving')
  const since = Math.max(0, ...starting.map(({ startedAt }) => now - Number(startedAt)))
  if (state === 'stopping')
    return leaving.length === 0 ? undefined : `${waitsFor(leaving)} to drain and end: ${seconds(waited)}`
  if (state === 'starting' && starting.length > 0) {
    const ready = workers.filter((worker) => worker.state === 'ready')
    return `${ready.length} of ${workers.length} ready, ${waitsFor(starting)}: ${seconds(since)}`
  }
  if (state !== 'reloading') return undefined
  const replaced = workers.filter((worker) => worker.generation === generation && worker.state === 'ready')
  const text = `reload: ${replaced.length} of ${slots.size} replaced`
  if (starting.length > 0) return `${text}, ${waitsFor(starting)} to be ready: ${seconds(since)}`
  if (leaving.length > 0) return `${text}, ${waitsFor(leaving, 'old ')} to drain and end: ${seconds(waited)}`
  return undefined
}

function waitsFor(workers: readonly WorkerInfo[], kind = ''): string {
  const names = workers.map(({ pid, slot }) => (kind === '' ? String(slot) : `${slot} (${pid})`))
  const more = names.length - MOST_NAMED
  const named = `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  return `waiting for ${kind}worker${names.length === 1 ? '' : 's'} ${named}`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}

/** Says it after 3 s, then less and less often, until nobody is waited for. */
export function sayProgress(supervisor: Supervisor, say: (text: string) => void): void {
  let timer: NodeJS.Timeout | undefined
  let changedAt = Date.now()
  const wait = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const now = Date.now()
      const text = progressText(supervisor, now, now - changedAt)
      if (text === undefined) return
      say(text)
      wait(Math.min(LONGEST, ms * 2))
    }, ms).unref()
  }
  const changed = (): void => {
    changedAt = Date.now()
  }
  const begin = (): void => {
    changed()
    wait(FIRST)
  }
  supervisor.on('worker:ready', changed).on('worker:exit', changed)
  supervisor.on('reload:start', begin).on('stopping', begin)
  supervisor.once('worker:start', begin)
}
