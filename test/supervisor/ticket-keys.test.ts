import { once } from 'node:events'
import https from 'node:https'
import tls from 'node:tls'
import { expect, test } from 'vitest'
import type { ListenableServer } from '../../src/index.js'
import { TicketKeys as WorkerKeys } from '../../src/supervised/ticket-keys.js'
import { TicketKeys } from '../../src/supervisor/ticket-keys.js'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js'
import { portOf } from '../support/listeners.js'

test('new keys come after their time, and no more after the end', async () => {
  const keys = new TicketKeys()
  const first = keys.keys
  expect(Buffer.from(first, 'base64')).toHaveLength(48)
  const told = await new Promise<string>((resolve) => keys.rotate(resolve, 5))
  keys.end()
  expect(told).toBe(keys.keys)
  expect(told).not.toBe(first)
  expect(Buffer.from(told, 'base64')).toHaveLength(48)
})

/** @returns the session, and whether it was resumed. */
async function connect(server: https.Server, session?: Buffer): Promise<{ session: Buffer; reused: boolean }> {
  const socket = tls.connect({ port: portOf(server), rejectUnauthorized: false, ...(session && { session }) })
  const given = session === undefined ? once(socket, 'session') : [session]
  await once(socket, 'secureConnect')
  const reused = socket.isSessionReused()
  const [next] = await given
  socket.destroy()
  return { session: next, reused }
}

test('a session is good for all servers with the keys, and for none once they have others', async () => {
  const make = (): https.Server => https.createServer({ key: PRIVATE_KEY, cert: CERTIFICATE })
  const servers = [make(), make()] as const
  const workers = servers.map(() => new WorkerKeys(new TicketKeys().keys))
  try {
    for (const [index, server] of servers.entries()) {
      server.listen(0)
      await once(server, 'listening')
      workers[index]?.give(server as unknown as ListenableServer)
    }
    const { session } = await connect(servers[0])
    expect((await connect(servers[0], session)).reused).toBe(true)
    // Each worker has keys of its own, here.
    expect((await connect(servers[1], session)).reused).toBe(false)
    const common = new TicketKeys().keys
    for (const [index, server] of servers.entries()) {
      workers[index]?.change(common, [
        {
          server: server as unknown as ListenableServer,
          id: '',
          wish: { address: null, port: 0, ipv6Only: false, options: '' },
        },
      ])
    }
    expect((await connect(servers[0], session)).reused).toBe(false)
    const next = await connect(servers[0])
    expect((await connect(servers[1], next.session)).reused).toBe(true)
  } finally {
    for (const server of servers) server.close()
  }
})
