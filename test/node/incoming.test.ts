import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { ListenableServer } from '../../src/index.js'
import { type Connection, interceptConnections, isConnection } from '../../src/node/incoming.js'
import { portOf } from '../support/listeners.js'

async function listen(server: net.Server): Promise<ListenableServer> {
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server as unknown as ListenableServer
}

function connect(server: net.Server): net.Socket {
  const client = net.connect(portOf(server), '127.0.0.1')
  onTestFinished(() => void client.destroy())
  return client.on('error', () => {})
}

test('a connection that is taken is not seen by the server; it comes in later, with all that the client has sent', async () => {
  const server = http.createServer((request, response) => response.end(request.url))
  const taken: Connection[] = []
  const incoming = interceptConnections(
    await listen(server),
    (connection) => taken.push(connection) > 0,
    () => {},
  )
  const seen = vi.fn()
  server.on('connection', seen)
  const client = connect(server)
  client.write('GET /path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await vi.waitFor(() => expect(taken).toHaveLength(1))
  expect(isConnection(taken[0])).toBe(true)
  expect(seen).not.toHaveBeenCalled()
  expect(incoming?.open()).toBe(0)
  incoming?.enter(taken[0] as Connection)
  expect(seen).toHaveBeenCalledTimes(1)
  expect(incoming?.open()).toBe(1)
  let text = ''
  client.setEncoding('utf8').on('data', (data) => {
    text += data
  })
  await once(client, 'close')
  expect(text).toMatch(/\/path$/)
})

test('a server that is full drops what comes in', async () => {
  const server = net.createServer()
  server.maxConnections = 1
  const taken: Connection[] = []
  const incoming = interceptConnections(
    await listen(server),
    (connection) => taken.push(connection) > 1,
    () => {},
  )
  connect(server)
  await once(server, 'connection')
  const second = connect(server)
  await vi.waitFor(() => expect(taken).toHaveLength(2))
  const dropped = once(server, 'drop')
  incoming?.enter(taken[1] as Connection)
  await dropped
  await once(second.resume(), 'close')
  expect(incoming?.open()).toBe(1)
})

test('each change of the number is told', async () => {
  const server = net.createServer((socket) => socket.resume())
  const numbers: number[] = []
  const incoming = interceptConnections(
    await listen(server),
    () => false,
    () => queueMicrotask(() => numbers.push(incoming?.open() ?? -1)),
  )
  const clients = [connect(server), connect(server)]
  await vi.waitFor(() => expect(numbers).toEqual([1, 2]))
  clients[0]?.destroy()
  await vi.waitFor(() => expect(numbers).toEqual([1, 2, 1]))
  clients[1]?.end()
  await vi.waitFor(() => expect(numbers).toEqual([1, 2, 1, 0]))
})

test('an error of accept(2) is the server’s own to hear', async () => {
  const server = net.createServer()
  const isTaken = vi.fn(() => true)
  interceptConnections(await listen(server), isTaken, () => {})
  const { _handle: handle } = server as unknown as { readonly _handle: { onconnection(error: number): void } }
  const failed = once(server, 'error')
  const dropped = vi.fn()
  server.on('drop', dropped)
  handle.onconnection(-24)
  const [error] = await failed
  expect(error).toMatchObject({ syscall: 'accept' })
  expect(isTaken).not.toHaveBeenCalled()
})

test('a server that does not listen, or is not one of Node, is left alone', () => {
  for (const server of [net.createServer(), { _handle: {} }, { _handle: { onconnection: () => {} } }]) {
    expect(
      interceptConnections(
        server as unknown as ListenableServer,
        () => true,
        () => {},
      ),
    ).toBeUndefined()
  }
})

test('a listening handle and what is no handle are no connection', async () => {
  const server = net.createServer()
  await listen(server)
  const { _handle: handle } = server as unknown as { readonly _handle: object }
  for (const value of [undefined, null, 5, {}, { fd: 5 }, server, handle]) expect(isConnection(value)).toBe(false)
})
