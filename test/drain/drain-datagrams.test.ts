// A UDP socket leaves its group.
import { execFileSync } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { bindReusePort, drain } from '../../src/index.js'
import { bound } from '../support/datagrams.js'

const sockets: Socket[] = []

afterEach(() => {
  for (const socket of sockets.splice(0)) {
    try {
      socket.close()
    } catch {
      // It has been drained.
    }
  }
})

/** Notes what it gets, and answers. */
async function member(address: string, port: number): Promise<{ socket: Socket; port: number; got: string[] }> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  sockets.push(socket)
  const got: string[] = []
  socket.on('message', (message, { address: from, port: source }) => {
    got.push(String(message))
    socket.send(message, source, from)
  })
  const error = await bound(socket, () => bindReusePort(socket, { port, address }))
  if (error !== undefined) throw error
  return { socket, port: socket.address().port, got }
}

/** Datagrams from sources of their own as fast as they go, until told to end; all are answered in the end. */
function load(host: string, port: number): { end(): Promise<{ sent: number; answered: number }> } {
  const family = host.includes(':') ? 'udp6' : 'udp4'
  let sent = 0
  let answered = 0
  const clients: Socket[] = []
  const sending = setInterval(() => {
    for (let count = 0; count < 10; count++) {
      const client = createSocket(family)
      clients.push(client)
      client.on('message', () => answered++)
      client.send(String(sent++), port, host)
    }
  }, 1)
  return {
    async end() {
      clearInterval(sending)
      for (let look = 0; look < 1000 && answered < sent; look++) await pause(10)
      for (const client of clients) client.close()
      return { sent, answered }
    },
  }
}

test.each(['127.0.0.1', '::1'])('at one address: every datagram is answered: %s', async (host) => {
  const leaving = await member(host, 0)
  const others = [await member(host, leaving.port), await member(host, leaving.port)]
  const loading = load(host, leaving.port)
  await expect.poll(() => leaving.got.length).toBeGreaterThan(10)
  const report = await drain(leaving.socket)
  await pause(50)
  const { sent, answered } = await loading.end()
  expect(report).toMatchObject({ lossless: true, method: 'steer', reason: undefined, connectionsClosed: 0 })
  expect(answered).toBe(sent)
  const all = [leaving, ...others].flatMap(({ got }) => got)
  expect(all.length).toBe(sent)
  expect(leaving.got.length).toBeGreaterThan(0)
})

test.each(['0.0.0.0', '::'])(
  'at every address: read, closed, and said what cannot be promised: %s',
  async (address) => {
    const leaving = await member(address, 0)
    await member(address, leaving.port)
    expect(await drain(leaving.socket)).toMatchObject({
      lossless: false,
      method: 'close',
      reason:
        'datagrams that arrived while the socket closed may be lost: drain cannot steer around a UDP socket that is bound to every address',
    })
    expect(() => leaving.socket.address()).toThrow()
  },
)

test.each(['127.0.0.1', '0.0.0.0'])('what has arrived and was not read is read: %s', async (address) => {
  const leaving = await member(address, 0)
  const send = `import socket; s = socket.socket(2, 2); [s.sendto(b"x", ("127.0.0.1", ${leaving.port})) for _ in range(50)]`
  // The event loop stands still meanwhile.
  execFileSync('python3', ['-c', send])
  expect(await drain(leaving.socket)).toMatchObject({ lossless: true, acceptedWhileDraining: 50 })
  expect(leaving.got).toHaveLength(50)
})

test('alone; a second call; one that is closed; an abort', async () => {
  const { socket } = await member('127.0.0.1', 0)
  const draining = drain(socket)
  expect(drain(socket)).toBe(draining)
  expect(await draining).toMatchObject({
    lossless: true,
    method: 'close',
    reason: 'the group has no other member to steer to',
  })
  await pause(1)
  expect(drain(socket)).toBe(draining)
  const gone = createSocket('udp4')
  gone.close()
  await expect(drain(gone)).rejects.toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING', message: 'Not running' })
  const staying = await member('127.0.0.1', 0)
  await expect(drain(staying.socket, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
  expect(staying.socket.address().port).toBe(staying.port)
})
