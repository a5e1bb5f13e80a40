// The DNS server of examples/, asked by UDP and TCP.
import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { A, dnsQuery, parseDnsAnswer, TXT } from '../support/dns.js'
import { type Client, runExample, supervised } from '../support/example.js'
import { freePort } from '../support/listeners.js'

const LATE = 10_000 // ms; a datagram on the loopback device is there or lost

async function queryUdp(socket: Socket, port: number, name: string, type: number) {
  const id = Math.floor(Math.random() * 65536)
  const ends = new AbortController()
  const answered = once(socket, 'message', { signal: ends.signal })
  socket.send(dnsQuery(id, name, type), port, '127.0.0.1')
  const late = sleep(LATE, undefined, { signal: ends.signal }).then(() => {
    throw new Error('no answer came')
  })
  try {
    const [message] = await Promise.race([answered, late])
    const answer = parseDnsAnswer(message)
    expect(answer.id).toBe(id)
    return answer
  } finally {
    ends.abort()
    answered.catch(() => {})
    late.catch(() => {})
  }
}

async function queryTcp(socket: net.Socket, name: string, type: number) {
  const query = dnsQuery(7, name, type)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(query.length)
  // A message may come in parts.
  socket.write(length)
  socket.write(query)
  let received = Buffer.alloc(0)
  while (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) {
    const [data] = await once(socket, 'data')
    received = Buffer.concat([received, data])
  }
  return parseDnsAnswer(received.subarray(2))
}

/** A text has its length in front. */
const workerOf = ({ data }: { data: Buffer | undefined }) => String(data?.subarray(1))

test('udp-dns.js', { timeout: 120_000 }, async () => {
  const port = await freePort()
  const worker = ['worker.example.test', TXT] as const
  const keptUdp = (): Client => {
    const socket = createSocket('udp4')
    return { ask: async () => workerOf(await queryUdp(socket, port, ...worker)), end: () => socket.close() }
  }
  const newUdp = (): Client => ({
    async ask() {
      const socket = createSocket('udp4')
      try {
        return workerOf(await queryUdp(socket, port, ...worker))
      } finally {
        socket.close()
      }
    },
  })
  const newTcp = (): Client => ({
    async ask() {
      const socket = net.connect(port, '127.0.0.1')
      try {
        return workerOf(await queryTcp(socket, ...worker))
      } finally {
        socket.destroy()
      }
    },
  })
  const checkAnswers = async () => {
    const resolver = new Resolver()
    resolver.setServers([`127.0.0.1:${port}`])
    expect(await resolver.resolve4('WWW.example.test')).toEqual(['192.0.2.1'])
    await expect(resolver.resolve4('nothing.example.test')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    await expect(resolver.resolveTxt('www.example.test')).rejects.toMatchObject({ code: 'ENODATA' })
    const socket = net.connect(port, '127.0.0.1')
    expect(await queryTcp(socket, 'www.example.test', A)).toEqual({ id: 7, code: 0, data: Buffer.from([192, 0, 2, 1]) })
    expect(await queryTcp(socket, 'nothing.example.test', A)).toMatchObject({ code: 3 })
    socket.destroy()
    // Neither ends the server.
    const stranger = createSocket('udp4')
    for (const bytes of ['', 'no query', Buffer.alloc(512, 0xff)]) stranger.send(bytes, port, '127.0.0.1')
    await queryUdp(stranger, port, 'www.example.test', A)
    stranger.close()
  }
  await runExample({
    ...supervised('udp-dns.js', [port]),
    clients: [keptUdp, newUdp, newTcp],
    beforeReload: checkAnswers,
  })
})
