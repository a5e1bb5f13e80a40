// Which death of a worker a failed call of `listen` explains.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { WorkerExit } from '../../src/supervisor/launch.js'
import { ListenFailures } from '../../src/supervisor/listen-failures.js'
import type { RunningWorker } from '../../src/supervisor/running-worker.js'

const FAILURE = { code: 'EADDRINUSE', address: '127.0.0.1', port: 80, hint: undefined }
const EXIT: WorkerExit = { code: 1, signal: null, error: undefined }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** @param upTime Of a worker that was ready. */
function failed(upTime?: number): { failures: ListenFailures; worker: RunningWorker } {
  const failures = new ListenFailures(() => {})
  const worker = { slot: 0, pid: 7, threadId: undefined, generation: 1, state: 'ready', startedAt: new Date(0), upTime }
  failures.hear(worker as unknown as RunningWorker, { type: 'listen-failed', ...FAILURE })
  return { failures, worker: worker as unknown as RunningWorker }
}

test('one that was never ready ended because of it, whenever that was', () => {
  const { failures, worker } = failed()
  vi.advanceTimersByTime(60_000)
  expect(failures.explainExit(worker, EXIT)).toEqual({ ...EXIT, listen: FAILURE })
})

test('one that served ended because of it only soon after', () => {
  const { failures, worker } = failed(1000)
  expect(failures.explainExit(worker, EXIT)).toEqual({ ...EXIT, listen: FAILURE })
  vi.advanceTimersByTime(60_000)
  expect(failures.explainExit(worker, EXIT)).toBe(EXIT)
})

test('a signal of somebody else has nothing to do with it; a thread that threw may have been told to end', () => {
  const { failures, worker } = failed()
  const killed: WorkerExit = { code: null, signal: 'SIGKILL', error: undefined }
  expect(failures.explainExit(worker, killed)).toBe(killed)
  const thrown = { ...killed, error: new Error('listen EADDRINUSE') }
  expect(failures.explainExit(worker, thrown)).toEqual({ ...thrown, listen: FAILURE })
})

test('it listens at last', () => {
  const { failures, worker } = failed()
  failures.listens(worker)
  expect(failures.explainExit(worker, EXIT)).toBe(EXIT)
})
