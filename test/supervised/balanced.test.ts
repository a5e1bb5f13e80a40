// A worker's side: what it says to the supervisor about its connections, and what it serves.
import { once } from 'node:events'
import net from 'node:net'
import process from 'node:process'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ListenableServer } from '../../src/index.js'
import { BalancedServers } from '../../src/supervised/balanced.js'
import type { Link } from '../../src/supervised/link.js'
import { placeOf } from '../../src/supervised/servers.js'
import type { FromWorker, Place } from '../../src/supervisor/protocol.js'
import { portOf } from '../support/listeners.js'

let sent: (readonly [FromWorker, unknown])[]
let server: net.Server
let place: Place
let balanced: BalancedServers
const clients: net.Socket[] = []
const served: net.Socket[] = []

beforeEach(async () => {
  sent = []
  const link = { send: (message: FromWorker, handle: unknown) => sent.push([message, handle]) } as unknown as Link
  balanced = new BalancedServers(link)
  server = net.createServer((socket) => served.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  place = placeOf(server as unknown as ListenableServer) as Place
  balanced.add(server as unknown as ListenableServer, place)
})

afterEach(() => {
  vi.restoreAllMocks()
  for (const socket of [...clients.splice(0), ...served.splice(0)]) socket.destroy()
  server.close()
})

const ofType = (type: FromWorker['type']): (readonly [FromWorker, unknown])[] =>
  sent.filter(([message]) => message.type === type)

async function connect(): Promise<void> {
  const client = net.connect(portOf(server), '127.0.0.1').on('error', () => {})
  clients.push(client)
  await once(client, 'connect')
}

/** Two connections are open, and the third is sent to the supervisor. @returns its handle. */
async function pass(): Promise<unknown> {
  balanced.hear({ type: 'fewest', ...place, fewest: 0 }, undefined)
  for (let client = 0; client < 3; client++) await connect()
  await vi.waitFor(() => expect(ofType('pass')).toHaveLength(1))
  expect(served).toHaveLength(2)
  expect(ofType('pass')[0]?.[0]).toEqual({ type: 'pass', ...place, pass: 0, open: 2 })
  return ofType('pass')[0]?.[1]
}

test('tells its numbers when they change', async () => {
  await vi.waitFor(() =>
    expect(ofType('connections')).toEqual([[{ type: 'connections', ...place, open: 0 }, undefined]]),
  )
  await connect()
  await vi.waitFor(() => expect(ofType('connections').at(-1)?.[0]).toMatchObject({ open: 1 }))
  clients[0]?.destroy()
  served[0]?.resume()
  await vi.waitFor(() => expect(ofType('connections').at(-1)?.[0]).toMatchObject({ open: 0 }))
  expect(ofType('connections')).toHaveLength(3)
})

test('closes what another worker serves, and serves what comes back', async () => {
  const handle = (await pass()) as { readonly fd: number }
  balanced.hear({ type: 'passed', pass: 0, isTaken: true, fewest: 0 }, undefined)
  expect(handle.fd).toBeLessThan(0)
  await connect()
  await vi.waitFor(() => expect(ofType('pass')).toHaveLength(2))
  balanced.hear({ type: 'passed', pass: 1, isTaken: false, fewest: 1 }, undefined)
  expect(served).toHaveLength(3)
})

test('asks again where no answer comes, and serves what it has not sent', async () => {
  await pass()
  await connect()
  await vi.waitFor(() => expect(ofType('pass')).toHaveLength(2))
  expect(ofType('pass')[1]).toEqual([{ type: 'pass', ...place, pass: 0, open: 2 }, undefined])
  await vi.waitFor(() => expect(served).toHaveLength(3))
})

test('without its supervisor it serves what it has sent, unless somebody else may have it', async () => {
  await pass()
  vi.spyOn(process, 'ppid', 'get').mockReturnValue(1)
  balanced.disconnected()
  await vi.waitFor(() => expect(served).toHaveLength(3))
})

test('where its program has closed the channel, the supervisor has it', async () => {
  const handle = (await pass()) as { readonly fd: number }
  balanced.disconnected()
  await vi.waitFor(() => expect(handle.fd).toBeLessThan(0))
  expect(served).toHaveLength(2)
})

test('answers before it serves, once', async () => {
  const handle = await pass()
  const order: string[] = []
  server.on('connection', () => order.push(`connection after ${ofType('served').length} answers`))
  balanced.hear({ type: 'serve', ...place, pass: 9 }, handle)
  expect(ofType('served')).toEqual([[{ type: 'served', pass: 9, isTaken: true, open: 3 }, undefined]])
  expect(order).toEqual(['connection after 1 answers'])
  balanced.hear({ type: 'serve', ...place, pass: 9 }, undefined)
  expect(ofType('served')).toHaveLength(1)
})

test('refuses what it has not got, what is no connection, and what none of its servers is for', async () => {
  const handle = await pass()
  const close = vi.fn()
  balanced.hear({ type: 'serve', ...place, pass: 1 }, undefined)
  balanced.hear({ type: 'serve', ...place, pass: 2 }, { fd: 5, close })
  expect(close).toHaveBeenCalledTimes(1)
  balanced.hear({ type: 'serve', ...place, port: 1, pass: 3 }, handle)
  expect((handle as { readonly fd: number }).fd).toBeLessThan(0)
  expect(ofType('served').map(([message]) => message)).toEqual(
    [2, 2, 0].map((open, index) => ({ type: 'served', pass: index + 1, isTaken: false, open })),
  )
})

test('a worker that leaves, or whose program closes the server, passes nothing on', async () => {
  await pass()
  await connect()
  balanced.closing(server as unknown as ListenableServer)
  await vi.waitFor(() => expect(served).toHaveLength(3))
  balanced.hear({ type: 'passed', pass: 0, isTaken: false, fewest: 0 }, undefined)
  balanced.end()
  await connect()
  await vi.waitFor(() => expect(served).toHaveLength(5))
  expect(ofType('pass')).toHaveLength(1)
})
