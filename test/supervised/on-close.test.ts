// What a worker tells of a server that closes.
import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import net from 'node:net'
import { expect, test } from 'vitest'
import { onClose } from '../../src/supervised/on-close.js'

test('a server is told when its socket has been closed, so that somebody else can have the port then', async () => {
  let told = 0
  onClose((server) => {
    told++
    expect(server.listening).toBe(false)
    expect(() => fstatSync(fd)).toThrow('EBADF')
  })
  const server = net.createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  server.close()
  expect(told).toBe(1)
  await once(server, 'close')
})
