// A server that has closed serves connections of another listener, and a drain of that one ends them as its own.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type net from 'node:net'
import { expect, test } from 'vitest'
import { drain, listenReusePort } from '../../src/index.js'
import { acceptFor } from '../../src/node/second-listener.js'
import { answering } from '../support/answering-addon.js'
import { closed, portOf } from '../support/listeners.js'
import { openListener } from '../support/native.js'

const addon = answering({})

/** As the server of a worker whose socket comes back: it has listened, and is closed. */
async function accepting(server: net.Server): Promise<{ readonly listener: net.Server; readonly port: number }> {
  listenReusePort(server, 0)
  await once(server, 'listening')
  await closed(server)
  const fd = openListener(addon, { family: 4, address: '127.0.0.1', port: 0 }) as number
  addon.release(fd)
  const listener = acceptFor(server as never, fd) as unknown as net.Server
  return { listener, port: portOf(listener) }
}

test('HTTP/1: an answer in flight is the last, and an idle connection is closed', async () => {
  let answer = (): void => {}
  const server = http.createServer((request, response) => {
    if (request.url === '/slow') answer = () => response.end('late')
    else response.end('soon')
  })
  server.keepAliveTimeout = 60_000
  const { listener, port } = await accepting(server)
  expect([server.listening, listener.listening]).toEqual([false, true])
  const agent = new http.Agent({ keepAlive: true })
  const [first] = (await once(http.get({ port, agent }), 'response')) as [http.IncomingMessage]
  await once(first.resume(), 'end')
  const slow = http.get({ port, path: '/slow', agent: false })
  await expect.poll(() => String(answer)).toContain('late')
  const draining = drain(listener as never, { idleTimeout: 100 })
  await expect.poll(() => listener.listening).toBe(false)
  answer()
  const [last] = (await once(slow, 'response')) as [http.IncomingMessage]
  expect(last.headers.connection).toBe('close')
  last.resume()
  expect(await draining).toMatchObject({ lossless: true, connectionsDestroyed: 0, connectionsLeft: 0 })
  agent.destroy()
})

test('HTTP/2: its sessions get a GOAWAY', async () => {
  const server = http2.createServer((_request, response) => response.end('soon'))
  const { listener, port } = await accepting(server as unknown as net.Server)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request()
  await once(stream.resume(), 'end')
  const told = once(session, 'goaway')
  expect(await drain(listener as never, { idleTimeout: 100, connectionTimeout: 5000 })).toMatchObject({
    lossless: true,
    connectionsDestroyed: 0,
  })
  await told
})
