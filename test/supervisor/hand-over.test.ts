// Programs that do not listen once and for all: each socket that the supervisor keeps has somebody who accepts from it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import process from 'node:process'
import { describe, expect, test, vi } from 'vitest'
import { drain, listenReusePort } from '../../src/index.js'
import { freePort } from '../support/listeners.js'
import { listenersOn } from '../support/sockets.js'
import { answerers, get, namesOf, supervise } from '../support/supervisors.js'

describe.each([
  { what: 'processes', options: {} },
  { what: 'threads', options: { threads: true } },
  { what: 'one socket', options: { oneSocket: true } },
])('$what', ({ options }) => {
  test.each([
    { how: 'tries its port first', times: 1 },
    { how: 'tries its port first', times: 5 },
    { how: 'closes at once and listens again' },
  ])('a program that $how ($times): all are answered after reloads', async (setting) => {
    const port = await freePort()
    await using one = supervise({ ...setting, port }, options)
    await one.supervisor.start()
    for (let reload = 0; reload < 3; reload++) {
      await one.supervisor.reload()
      expect(listenersOn(port)).toHaveLength('oneSocket' in options ? 1 : 2)
      expect((await answerers(port)).size).toBeGreaterThan(0)
    }
    expect(namesOf(one.told)).not.toContain('reload:failed')
  })
})

test('a program that closes its port for a while during a reload: no socket without a worker is left', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'listens, closes and listens again', port })
  await one.supervisor.start()
  await one.supervisor.reload()
  await vi.waitFor(async () => {
    expect(listenersOn(port)).toHaveLength(2)
    expect(await answerers(port)).toHaveProperty('size', 2)
  }, 10_000)
})

test('a port that all have closed is closed, also where a worker could have taken it again', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port })
  await one.supervisor.start()
  one.setting({ how: 'closes', port })
  await one.supervisor.reload()
  await expect.poll(() => listenersOn(port)).toHaveLength(0)
  expect(one.supervisor.status().workers.map(({ sockets }) => sockets)).toEqual([[], []])
})

test('a successor that dies while the old worker still drains is replaced at once', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'holds a stream open', port }, { workers: 1, drainTimeout: 60_000 })
  await one.supervisor.start()
  const stream = http.get({ port, host: '127.0.0.1', path: '/long', agent: false })
  const [response] = (await once(stream, 'response')) as [http.IncomingMessage]
  const reloading = one.supervisor.reload().catch(() => {})
  await expect.poll(() => one.supervisor.workers.map(({ state }) => state)).toEqual(['leaving', 'ready'])
  const successor = one.supervisor.workers.find(({ state }) => state === 'ready')?.pid as number
  process.kill(successor, 'SIGKILL')
  const { me } = await get(port)
  expect(Number.parseInt(me, 10)).not.toBe(successor)
  expect(one.supervisor.workers.map(({ state }) => state)).toContain('leaving')
  response.destroy()
  stream.destroy()
  await reloading
})

describe.each([
  { what: 'processes', options: {} },
  { what: 'threads', options: { threads: true } },
  { what: 'one socket', options: { oneSocket: true } },
])('$what', ({ options }) => {
  test('a successor that closes its server while the old worker still drains: the old one accepts again', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'holds a stream open', port }, { workers: 1, drainTimeout: 60_000, ...options })
    await one.supervisor.start()
    const { me: old } = await get(port)
    const stream = http.get({ port, host: '127.0.0.1', path: '/long', agent: false })
    const [response] = (await once(stream, 'response')) as [http.IncomingMessage]
    one.setting({ how: 'closes when asked', port })
    const reloading = one.supervisor.reload()
    await expect.poll(() => one.supervisor.workers.map(({ state }) => state)).toEqual(['leaving', 'ready'])
    const { me: successor } = await get(port)
    expect(successor).not.toBe(old)
    expect(await get(port, '127.0.0.1', '/close')).toEqual({ me: successor })
    // Nothing fails in between: what comes meanwhile waits in the accept queue.
    for (let request = 0; request < 20; request++) expect(await get(port)).toEqual({ me: old })
    response.destroy()
    stream.destroy()
    await reloading
    expect(one.told.find(([name]) => name === 'worker:drained')?.[2]).toEqual({ lossless: true, reason: undefined })
    await expect.poll(() => listenersOn(port)).toHaveLength(0)
  })
})

test('slots have the lowest free numbers, and no two workers have one', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port })
  await one.supervisor.start()
  one.setting({ how: 'the third worker fails', port })
  await expect(one.supervisor.scale(4)).rejects.toThrow('worker 2 ended with exit code 5')
  one.setting({ how: 'plain', port })
  await one.supervisor.scale(4)
  expect(one.supervisor.workers.map(({ slot }) => slot)).toEqual([0, 1, 2, 3])
  const doomed = one.supervisor.workers[2]?.pid as number
  // Until then others accept from its queue.
  const ready = once(one.supervisor, 'worker:ready')
  process.kill(doomed, 'SIGKILL')
  await ready
  expect(one.supervisor.workers.filter(({ pid }) => pid !== doomed)).toHaveLength(4)
  expect(await answerers(port, 200)).toHaveProperty('size', 4)
})

test('a port that the old worker opens meanwhile is one of those to wait for; later reloads wait for none', async () => {
  const [port, second] = [await freePort(), await freePort()]
  await using one = supervise({ how: 'two ports', port, second }, { workers: 1, readyTimeout: 600_000 })
  await one.supervisor.start()
  // Each new worker opens its second port 100 ms after the first.
  for (let reload = 0; reload < 3; reload++) await one.supervisor.reload()
  expect(listenersOn(port)).toHaveLength(1)
  expect(listenersOn(second)).toHaveLength(1)
})

test('a program that drains a server itself drains it: the supervisor, which has the socket too, does not count', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'drains itself', port })
  await one.supervisor.start()
  const said = once(one.supervisor, 'worker:message')
  http.get({ port, host: '127.0.0.1', path: '/drain', agent: false }, (response) => response.resume())
  expect((await said)[1]).toMatchObject({ lossless: true, method: 'steer' })
  await expect.poll(() => listenersOn(port)).toHaveLength(1)
})

test('a socket that another process has is handed over by a drain, which leaves that process alone', async () => {
  const server = net.createServer((socket) => socket.end('first'))
  const port = await freePort()
  listenReusePort(server, port, '127.0.0.1')
  await once(server, 'listening')
  const child = spawn(process.execPath, ['-e', CHILD], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    child.send('server', server)
    await once(child, 'message')
    expect(await drain(server)).toMatchObject({
      lossless: true,
      method: 'hand-over',
      reason: `process ${child.pid} holds the socket too and keeps it`,
    })
    const client = net.connect(port, '127.0.0.1')
    const [data] = await once(client, 'data')
    expect(String(data)).toBe('other')
  } finally {
    child.kill('SIGKILL')
  }
})

const CHILD = `process.on('message', (_name, server) => {
  server.on('connection', (socket) => socket.end('other'))
  process.send('has it')
})`
