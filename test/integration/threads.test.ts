import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { tally } from '../support/clients.js'
import { start } from '../support/processes.js'
import { listenersOn } from '../support/sockets.js'

const thread = fileURLToPath(new URL('../fixtures/thread.mjs', import.meta.url))

test('each thread has its own listener on the port', async () => {
  const first = new Worker(thread, { workerData: { state: 'listening' } })
  const [port] = await once(first, 'message')
  const others = [1, 2].map(() => new Worker(thread, { workerData: { state: 'listening', port } }))
  expect(await Promise.all(others.map((other) => once(other, 'message')))).toEqual([[port], [port]])
  expect(listenersOn(port)).toHaveLength(3)
  const counts = await tally(port, 50)
  expect(Object.fromEntries(counts)).toEqual({ thread: 50 })
  for (const worker of [first, ...others]) await worker.terminate()
  expect(listenersOn(port)).toHaveLength(0)
})

describe('terminating a thread leaks no descriptor', () => {
  test.each([
    ['while loading', 40],
    ['after loading', 5],
    ['with a socket that no server has', 5],
    ['with many such sockets', 5],
    ['in the turn of listening', 5],
    ['during the lookup', 5],
    ['listening', 5],
    ['with a socket in configuration', 5],
    ['binding a datagram socket', 5],
    ['with a datagram socket in configuration', 5],
    ['after closing', 5],
    ['while listening and closing', 60],
    ['while inspecting', 24],
    ['while steering', 24],
    ['while draining', 24],
  ])('%s', async (state, rounds) => {
    await using program = start('threads.mjs', [JSON.stringify({ state, rounds })])
    const { before, after } = await program.message<{ before: number; after: number }>()
    expect(after).toBe(before)
    expect(await program.exited).toMatchObject({ code: 0, signal: null, stderr: '' })
  })
})
