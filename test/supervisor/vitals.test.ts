// How supervisors say that their workers are.
import { once } from 'node:events'
import net from 'node:net'
import { expect, test, vi } from 'vitest'
import { freePort } from '../support/listeners.js'
import { event, get, supervise } from '../support/supervisors.js'

const LINUX = process.platform === 'linux'

test.each([false, true])('connections, delay, CPU and memory of each worker (threads: %s)', async (threads) => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port }, { threads })
  await one.supervisor.start()
  const clients = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1'))
  await Promise.all(clients.map((client) => once(client, 'connect')))
  try {
    await vi.waitUntil(async () => {
      const { workers } = await one.supervisor.vitals()
      return workers.reduce((sum, { open = 0 }) => sum + open, 0) === 8
    })
    const vitals = await one.supervisor.vitals()
    expect(vitals).toMatchObject({ state: 'running', clock: expect.any(Number), slots: [{ slot: 0 }, { slot: 1 }] })
    expect(vitals.places).toEqual([{ protocol: 'tcp', address: '127.0.0.1', port }])
    for (const worker of vitals.workers) {
      expect(worker.delay).toBeGreaterThanOrEqual(0)
      expect(worker.silence).toBeUndefined()
      expect(worker.memory).toBeGreaterThan(1 << 20)
      if (LINUX && !threads) expect(worker.cpu).toBeGreaterThan(0)
      if (LINUX) expect(worker).toMatchObject({ queued: 0, backlog: expect.any(Number) })
    }
    if (LINUX) expect(vitals.memory).toBeGreaterThan(1 << 20)
  } finally {
    for (const client of clients) client.destroy()
  }
})

test('a worker that hangs has no delay; its CPU, its memory and its queue are told by the kernel', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'hangs when it is asked to', port }, { workers: 2, join: false })
  await one.supervisor.start()
  const { me } = await get(port, '127.0.0.1', '/hang')
  const pid = Number(me.split('.')[0])
  // The answer precedes the loop.
  const hung = await vi.waitUntil(async () => {
    const { workers } = await one.supervisor.vitals()
    return workers.find((worker) => worker.pid === pid && worker.delay === undefined)
  })
  expect(hung.open).toBeUndefined()
  if (LINUX) expect(hung).toMatchObject({ cpu: expect.any(Number), memory: expect.any(Number), queued: 0 })
  const { workers } = await one.supervisor.vitals()
  const [still, other] = [workers.find((worker) => worker.pid === pid), workers.find((worker) => worker.pid !== pid)]
  expect(still?.silence).toBeGreaterThan(hung.silence ?? 0)
  expect(other).toMatchObject({ delay: expect.any(Number), open: expect.any(Number) })
})

test('a worker that answers late is silent no more', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port }, { workers: 1 })
  await one.supervisor.start()
  const pid = one.supervisor.workers[0]?.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  const [stopped] = (await one.supervisor.vitals()).workers
  expect(stopped).toMatchObject({ silence: expect.any(Number) })
  process.kill(pid, 'SIGCONT')
  await vi.waitUntil(async () => (await one.supervisor.vitals()).workers[0]?.silence === undefined)
})

test('the history of slots: what ended earlier workers', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port }, { workers: 2 })
  await one.supervisor.start()
  const [first] = one.supervisor.workers
  const restarted = event(one.supervisor, 'worker:ready')
  process.kill(first?.pid ?? 0, 'SIGKILL')
  await restarted
  await one.supervisor.reload()
  const { lastReload, slots } = await one.supervisor.vitals()
  expect(slots).toEqual([
    {
      slot: 0,
      restarts: 1,
      exits: { signal: 1, told: 1 },
      lastExit: {
        cause: 'signal',
        reason: 'was ended by SIGKILL, not by this supervisor',
        pid: first?.pid,
        generation: 1,
        at: expect.any(String),
      },
    },
    { slot: 1, restarts: 0, exits: { told: 1 } },
  ])
  expect(lastReload).toEqual({ generation: 2, at: expect.any(String), duration: expect.any(Number) })
})
