import { once } from 'node:events'
import net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { rowsOf } from '../../bench/common/rows.js'
import { readAnswer } from '../../bench/managers/answer.js'
import { Client, type Sample } from '../../bench/managers/client.js'
import { during, killValues, losses, reloadValues, sums } from '../../bench/managers/measured.js'

const answered = (at: number, wait: number, port = 1): Sample => ({ at, wait, port, isReused: false, pid: 7 })
const failed = (at: number, wait: number, port = 1, isReused = false): Sample => ({
  at,
  wait,
  port,
  isReused,
  failure: 'ECONNRESET',
})

test('a request is under way in a span where it began before its end and ended after its beginning', () => {
  const samples = [answered(0, 9), answered(0, 10), answered(20, 1), answered(21, 1)]
  expect(during(samples, { from: 10, to: 20 })).toEqual([samples[1], samples[2]])
})

test('a reload: waits of answered requests meanwhile, and failures from its beginning on', () => {
  const samples = [
    answered(0, 500),
    answered(12, 7),
    answered(15, 3),
    answered(30, 90),
    failed(5, 1),
    failed(25, 1, 1, true),
  ]
  expect(reloadValues(samples, { from: 10, to: 20 })).toEqual({
    longest: 500,
    p99: 500,
    failed: 1,
    timeouts: 0,
    raced: 1,
  })
})

test('no answered request has no longest wait', () => {
  expect(reloadValues([failed(12, 1)], { from: 10, to: 20 })).toEqual({
    longest: Number.NaN,
    p99: Number.NaN,
    failed: 1,
    timeouts: 0,
    raced: 0,
  })
})

test('a kill: those that the killed worker had accepted do not count as waiting, and their failures stand apart', () => {
  const samples = [answered(12, 50, 1), answered(12, 8, 2), failed(11, 1, 1), failed(13, 1, 3), failed(40, 1, 3)]
  expect(killValues(samples, { from: 10, to: 20, accepted: new Set([1]) })).toEqual({
    longest: 8,
    failedAccepted: 1,
    failedOthers: 1,
  })
})

test('rare failures are counted over all rounds', () => {
  const rounds = [
    { failed: 0, timeouts: 0, connections: 1000, leaves: 10 },
    { failed: 0, timeouts: 0, connections: 1000, leaves: 10 },
    { failed: 3, timeouts: 1, connections: 2000, leaves: 20 },
  ]
  expect(sums(rounds, ['failed', 'leaves'])).toEqual({ failed: 3, leaves: 40 })
  expect(losses(rounds)).toEqual({
    failed: 3,
    timeouts: 1,
    connections: 4000,
    leaves: 40,
    perMillion: 750,
    perThousandLeaves: 75,
  })
})

test('pooled values take the place of medians', () => {
  const entries = [0, 0, 3].map((count, round) => ({ competitor: 'a', round, values: { count, time: round } }))
  const [row] = rowsOf(entries, {
    competitors: ['a'],
    ours: 'a',
    compared: [],
    labels: {},
    pool: (rounds) => sums(rounds, ['count']),
  })
  expect(row?.values).toEqual({
    count: { median: 3, low: 3, high: 3 },
    time: { median: 1, low: 0.5, high: 1.5 },
  })
})

test('an answer is read when it is complete', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive'
  expect(readAnswer(head)).toBeUndefined()
  expect(readAnswer(`${head}\r\n\r\n123`)).toBeUndefined()
  expect(readAnswer(`${head}\r\n\r\n1234`)).toEqual({ pid: 1234, isKept: true })
  expect(readAnswer(`${head.replace('keep-alive', 'close')}\r\n\r\n1234`)).toEqual({ pid: 1234, isKept: false })
})

const servers: net.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Does with each connection, the first one being 0, what `serve` says when a request has come. */
async function listen(serve: (socket: net.Socket, connection: number) => void): Promise<number> {
  let connections = 0
  const server = net.createServer((socket) => {
    const connection = connections++
    socket.on('error', () => {}).on('data', () => serve(socket, connection))
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as net.AddressInfo).port
}

const answer = (kept: boolean): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: ${kept ? 'keep-alive' : 'close'}\r\n\r\n7`

test('a client opens a connection for each request, or takes the kept one that has waited longest', async () => {
  const port = await listen((socket) => socket.write(answer(true)))
  const single = new Client(port, 0)
  const first = await single.request(0)
  const second = await single.request(0)
  expect([first, second]).toMatchObject([
    { pid: 7, isReused: false },
    { pid: 7, isReused: false },
  ])
  const kept = new Client(port, 2)
  const seen = []
  for (let count = 0; count < 4; count++) seen.push(await kept.request(0))
  single.close()
  kept.close()
  expect(seen.map(({ isReused }) => isReused)).toEqual([false, false, true, true])
  expect(seen.slice(2).map((sample) => sample.port)).toEqual(seen.slice(0, 2).map((sample) => sample.port))
})

test('a client says why a request failed, and leaves a connection that the server closes', async () => {
  const port = await listen((socket, connection) => {
    if (connection === 0) socket.write(answer(false))
    else socket.resetAndDestroy()
  })
  const client = new Client(port, 1)
  expect(await client.request(0)).toMatchObject({ pid: 7 })
  expect(await client.request(0)).toMatchObject({ failure: 'ECONNRESET', isReused: false })
  client.close()
})
