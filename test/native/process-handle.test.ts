// A process that a number named at one moment, by a pidfd and without.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { afterEach, expect, test } from 'vitest'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { ProcessHandle } from '../../src/native/process-handle.js'
import { answering } from '../support/answering-addon.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const { addon } = state

const ESRCH = { errno: -3, syscall: 'pidfd_open' }
const WITHOUT: readonly (readonly [string, () => Addon])[] = [
  ['by a pidfd', () => addon],
  ['where the kernel has none', () => answering({ openProcess: () => ({ errno: -38, syscall: 'pidfd_open' }) })],
  ['where a filter denies them', () => answering({ openProcess: () => ({ errno: -1, syscall: 'pidfd_open' }) })],
]

const children: ChildProcess[] = []

function sleeper(): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['60'])
  children.push(child)
  return child as ChildProcess & { readonly pid: number }
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

test.each(WITHOUT)('%s: it is told to end, once', async (_what, use) => {
  const child = sleeper()
  const exited = once(child, 'exit')
  const handle = ProcessHandle.open(use(), child.pid) as ProcessHandle
  expect([handle.pid, handle.hasEnded(), handle.isStopped()]).toEqual([child.pid, false, false])
  child.kill('SIGSTOP')
  await expect.poll(() => handle.isStopped()).toBe(true)
  child.kill('SIGCONT')
  expect(handle.terminate()).toBeUndefined()
  expect(await exited).toEqual([null, 'SIGTERM'])
  await expect.poll(() => handle.hasEnded()).toBe(true)
  expect([handle.terminate(), handle.isStopped()]).toEqual([undefined, false])
  handle.close()
})

test.each([0, 1, -1, 1.5, Number.NaN, 2 ** 60])('%s names no process that may be told anything', (pid) => {
  expect(ProcessHandle.open(answering({}), pid)).toBeUndefined()
})

test('one that has gone is none', () => {
  expect(ProcessHandle.open(answering({ openProcess: () => ESRCH }), process.pid)).toBeUndefined()
  const absent = { errno: -38, syscall: 'pidfd_open' }
  expect(ProcessHandle.open(answering({ openProcess: () => absent }), 0x7ffffffe)).toBeUndefined()
})

test('what the kernel refuses is told; what it does not tell is asked by the number', () => {
  const child = sleeper()
  const refused = { errno: -1, syscall: 'pidfd_send_signal' }
  const handle = ProcessHandle.open(
    answering({
      openProcess: () => 77,
      hasProcessEnded: () => ({ errno: -22, syscall: 'poll' }),
      signalProcess: () => refused,
      close: () => undefined,
    }),
    child.pid,
  ) as ProcessHandle
  expect(handle.hasEnded()).toBe(false)
  expect(handle.terminate()).toEqual(refused)
  handle.close()
})
