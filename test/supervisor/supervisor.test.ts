// Workers that share their ports, are replaced and die, and what the clients see of it.
import { once } from 'node:events'
import net from 'node:net'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { freePort } from '../support/listeners.js'
import { listenersOn, openSockets } from '../support/sockets.js'
import { answerers, event, get, namesOf, supervise } from '../support/supervisors.js'

describe.each([
  { what: 'processes', threads: false },
  { what: 'threads', threads: true },
])('$what', ({ threads }) => {
  test('two workers share a port, and leave nothing behind', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port }, { threads })
    await one.supervisor.start()
    expect(one.supervisor.state).toBe('running')
    expect(listenersOn(port)).toHaveLength(2)
    expect(await answerers(port)).toHaveProperty('size', 2)
    expect(one.supervisor.workers.map(({ slot, state }) => [slot, state])).toEqual([
      [0, 'ready'],
      [1, 'ready'],
    ])
    await one.supervisor.stop()
    await one.supervisor.closed
    expect(one.supervisor.state).toBe('stopped')
    expect(one.supervisor.workers).toEqual([])
    expect(listenersOn(port)).toHaveLength(0)
    expect(namesOf(one.told)).not.toContain('warning')
  })

  test('reload: others serve, by the same sockets', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port }, { threads })
    await one.supervisor.start()
    const before = await answerers(port)
    const sockets = one.supervisor.status().workers.map((worker) => worker.sockets)
    await one.supervisor.reload()
    const after = await answerers(port)
    expect(after).toHaveProperty('size', 2)
    expect([...after].filter((me) => before.has(me))).toEqual([])
    expect(one.supervisor.status().workers.map((worker) => worker.sockets)).toEqual(sockets)
    expect(one.supervisor.workers.map(({ generation }) => generation)).toEqual([2, 2])
    expect(listenersOn(port)).toHaveLength(2)
    const taken = one.told.filter(([name]) => name === 'worker:listening').map(([, , where]) => where)
    expect(taken).toMatchObject([
      { isTakenOver: false },
      { isTakenOver: false },
      { isTakenOver: true },
      { isTakenOver: true },
    ])
  })

  test('scale: more, and fewer', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port }, { threads, workers: 1 })
    await one.supervisor.start()
    await one.supervisor.scale(3)
    expect(listenersOn(port)).toHaveLength(3)
    expect(await answerers(port, 100)).toHaveProperty('size', 3)
    await one.supervisor.scale(1)
    expect(listenersOn(port)).toHaveLength(1)
    expect(await answerers(port)).toHaveProperty('size', 1)
    expect(one.told.filter(([name]) => name === 'worker:drained').map(([, , report]) => report)).toEqual([
      { lossless: true, reason: undefined },
      { lossless: true, reason: undefined },
    ])
  })

  test('port 0 is one port for all, for each call, however late', async () => {
    await using one = supervise({ how: 'port 0, twice and late' }, { threads, workers: 3 })
    await one.supervisor.start()
    await expect.poll(() => one.told.filter(([name]) => name === 'worker:listening').length).toBe(6)
    const ports = one.told.flatMap((told) => (told[0] === 'worker:listening' ? [told[2].port] : []))
    const [first, second] = [...new Set(ports)]
    expect(new Set(ports).size).toBe(2)
    for (const port of [first, second]) expect(listenersOn(port as number)).toHaveLength(3)
    await one.supervisor.reload()
    for (const port of [first, second]) expect(await answerers(port as number, 60)).toHaveProperty('size', 3)
  })

  test('a second port, late', async () => {
    const [port, second] = [await freePort(), await freePort()]
    await using one = supervise({ how: 'two ports', port, second }, { threads })
    await one.supervisor.start()
    await expect.poll(() => listenersOn(second)).toHaveLength(2)
    const before = await answerers(second)
    await one.supervisor.reload()
    // The new ones listened on both before the old ones left.
    expect(listenersOn(second)).toHaveLength(2)
    const after = await answerers(second)
    expect([...after].filter((me) => before.has(me))).toEqual([])
  })

  test('a reload that does not come up leaves the old ones', async () => {
    const port = await freePort()
    const setting = { how: 'plain', port }
    await using one = supervise(setting, { threads, readyTimeout: 5000 })
    await one.supervisor.start()
    const before = await answerers(port)
    for (const [how, message] of [
      ['throws', /worker 0 (ended with exit code 1|threw Error: it is broken) before it was ready/],
      ['never', /worker 0 did not listen on a port within 5 s/],
    ] as const) {
      one.setting({ how, port })
      const failed = event(one.supervisor, 'reload:failed')
      await expect(one.supervisor.reload()).rejects.toThrow(message)
      expect((await failed)[1].message).toMatch(message)
      expect(await answerers(port)).toEqual(before)
      expect(listenersOn(port)).toHaveLength(2)
    }
    one.setting(setting)
    await one.supervisor.reload()
    expect([...(await answerers(port))].filter((me) => before.has(me))).toEqual([])
  })
})

test('who waits in the queue of a worker that is killed is served by the next', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'accepts', port }, { workers: 1 })
  await one.supervisor.start()
  const [worker] = one.supervisor.workers
  process.kill(worker?.pid as number, 'SIGSTOP')
  const clients = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1'))
  await Promise.all(clients.map((client) => once(client, 'connect')))
  const ready = event(one.supervisor, 'worker:ready')
  process.kill(worker?.pid as number, 'SIGKILL')
  const said = await Promise.all(clients.map(async (client) => String((await once(client, 'data'))[0])))
  const [successor] = await ready
  expect(new Set(said)).toEqual(new Set([`${successor.pid}.0`]))
  expect(successor.pid).not.toBe(worker?.pid)
})

test('listening is as synchronous as without, also on a socket that is taken over', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'synchronous', port }, { workers: 1 })
  await one.supervisor.start()
  const seen = [true, { address: '::', family: 'IPv6', port }, 'listening', 'callback', 'tick']
  expect(await get(port)).toMatchObject({ seen })
  await one.supervisor.reload()
  expect(await get(port)).toMatchObject({ seen })
})

test('a thread of the program that computes keeps nobody waiting', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'a thread computes', port }, { workers: 1, drainTimeout: 60_000 })
  await one.supervisor.start()
  await one.supervisor.stop()
  expect(namesOf(one.told)).toContain('worker:drained')
})

test('a signal to a worker has it replaced', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port })
  await one.supervisor.start()
  const [worker] = one.supervisor.workers
  const gone = event(one.supervisor, 'worker:exit')
  process.kill(worker?.pid as number, 'SIGTERM')
  const [, exit] = await gone
  expect(exit).toMatchObject({ isExpected: true, signal: 'SIGTERM' })
  expect(one.told.find(([name]) => name === 'warning')?.[1]).toMatch(/got SIGTERM and is replaced/)
  expect(one.supervisor.workers).toHaveLength(2)
  expect(await answerers(port)).toHaveProperty('size', 2)
})

test('the program hears SIGTERM when its servers have been drained', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'listens for SIGTERM', port }, { output: 'pipe', workers: 1 })
  await one.supervisor.start()
  await one.supervisor.stop()
  const output = one.told.flatMap((told) => (told[0] === 'worker:output' ? [told[3]] : [])).join('')
  expect(output).toBe('heard SIGTERM, listening: false\n')
  expect(one.told.find(([name]) => name === 'worker:exit')?.[2]).toMatchObject({ code: 0, isExpected: true })
})

test.each([{ threads: false }, { threads: true }])(
  'a program that has nothing more to do ends %j',
  async ({ threads }) => {
    const port = await freePort()
    await using one = supervise({ how: 'ends', port }, { workers: 1, threads })
    const ended = event(one.supervisor, 'worker:exit')
    await one.supervisor.start()
    const [, exit] = await ended
    expect(exit).toMatchObject({ code: 0, signal: null, isExpected: false })
  },
)

test.each([{ threads: false }, { threads: true }])(
  'a start that fails leaves no socket, not even of those that came up %j',
  async ({ threads }) => {
    const port = await freePort()
    const before = openSockets().length
    await using one = supervise({ how: 'the second worker fails', port }, { threads })
    await expect(one.supervisor.start()).rejects.toThrow('worker 1 ended with exit code 5 before it was ready')
    expect(listenersOn(port)).toEqual([])
    await expect.poll(() => openSockets().length).toBe(before)
  },
)

test('a port that the new code does not listen on is drained, one that is new is opened', async () => {
  const [port, second] = [await freePort(), await freePort()]
  await using one = supervise({ how: 'two ports', port, second }, { readyTimeout: 4000 })
  await one.supervisor.start()
  await expect.poll(() => listenersOn(second)).toHaveLength(2)
  one.setting({ how: 'plain', port })
  await one.supervisor.reload()
  expect(listenersOn(second)).toEqual([])
  expect(listenersOn(port)).toHaveLength(2)
  one.setting({ how: 'two ports', port, second })
  await one.supervisor.reload()
  await expect.poll(() => listenersOn(second)).toHaveLength(2)
  expect(await answerers(second)).toHaveProperty('size', 2)
  expect(listenersOn(port)).toHaveLength(2)
})

test('a server that its program closes is let go of', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'closes', port }, { workers: 1 })
  await one.supervisor.start()
  expect(listenersOn(port)).toHaveLength(1)
  await expect.poll(() => listenersOn(port)).toHaveLength(0)
  await expect(get(port)).rejects.toThrow('ECONNREFUSED')
})

describe.each([
  { what: 'processes', threads: false },
  { what: 'threads', threads: true },
])('one socket for all $what', ({ threads }) => {
  test('all accept from it, over reloads, and it is gone in the end', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port }, { threads, oneSocket: true })
    await one.supervisor.start()
    expect(one.told.find(([name]) => name === 'warning')?.[1]).toMatch(/^all workers accept from one socket/)
    expect(listenersOn(port)).toHaveLength(1)
    const before = await answerers(port)
    await one.supervisor.reload()
    const after = await answerers(port)
    expect([...after].filter((me) => before.has(me))).toEqual([])
    expect(listenersOn(port)).toHaveLength(1)
    await one.supervisor.scale(3)
    await one.supervisor.scale(1)
    expect(await answerers(port)).toHaveProperty('size', 1)
    await one.supervisor.stop()
    expect(listenersOn(port)).toHaveLength(0)
  })

  test('port 0 is one port for all, for each call', async () => {
    await using one = supervise({ how: 'port 0, twice and late' }, { threads, oneSocket: true })
    await one.supervisor.start()
    await expect.poll(() => one.told.filter(([name]) => name === 'worker:listening').length).toBe(4)
    const ports = one.told.flatMap((told) => (told[0] === 'worker:listening' ? [told[2].port] : []))
    expect(new Set(ports).size).toBe(2)
  })

  test('a port that is taken is an error in the first that wants it, then in the next', async () => {
    const other = net.createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as net.AddressInfo
    await using one = supervise({ how: 'plain', port }, { threads, oneSocket: true })
    await expect(one.supervisor.start()).rejects.toThrow('before it was ready')
    other.close()
  })
})

test('stop takes a signal for the programs, and refuses what does not ask for an end', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'listens for each signal', port }, { workers: 1 })
  await one.supervisor.start()
  for (const wrong of ['SIGKILL', 'sigterm', 15, null])
    expect(() => one.supervisor.stop(wrong as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
  expect(one.supervisor.state).toBe('running')
  const stopped = one.supervisor.stop('SIGQUIT')
  expect(one.supervisor.stop('SIGTERM')).toBe(stopped)
  await stopped
  expect(one.told).toContainEqual(['worker:output', expect.anything(), 'stdout', 'heard SIGQUIT\n', expect.anything()])
})

test('a thread that is killed has no exit code of a failure', async () => {
  await using one = supervise({ how: 'plain', port: await freePort() }, { workers: 1, threads: true })
  await one.supervisor.start()
  const exited = event(one.supervisor, 'worker:exit')
  one.supervisor.kill()
  expect((await exited)[1]).toMatchObject({ code: null, signal: 'SIGKILL', isExpected: true })
})
