import { readFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listenReusePort } from '../../src/index.js'
import { closed, core, once, ours, portOf, SERVER_KINDS } from '../support/listeners.js'
import { acceptQueueLimit } from '../support/sockets.js'

const createServer = SERVER_KINDS['net'] as () => Server

describe('better than Node, where the contract says so', () => {
  test('ipv6Only works without a host', async () => {
    const v6 = listenReusePort(createServer(), { port: 0, ipv6Only: true })
    const v4 = createServer().listen(portOf(v6), '0.0.0.0')
    await once(v4, 'listening')
    await Promise.all([closed(v4), closed(v6)])
  })

  test('without ipv6Only the IPv6 socket takes the IPv4 port as well', async () => {
    const dual = listenReusePort(createServer(), 0)
    const v4 = createServer().listen(portOf(dual), '0.0.0.0')
    expect(await once(v4, 'error')).toMatchObject({ code: 'EADDRINUSE' })
    await closed(dual)
  })

  test('the options object is never written to', async () => {
    const given = {
      port: undefined,
      host: '127.0.0.1',
      backlog: 7,
      signal: new AbortController().signal,
      fallback: 'error',
    }
    const options = Object.freeze({ ...given }) as object
    const server = listenReusePort(createServer(), options)
    await once(server, 'listening')
    expect(options).toStrictEqual(given)
    await closed(server)
  })

  test.each([
    ['as an option', [{ port: 0, host: '127.0.0.1', backlog: 23 }], 23],
    ['by position after the port', [0, 23], 23],
    ['by position after the host', [0, '127.0.0.1', 23], 23],
    ['not given', [0], 511],
    ['as a text', [{ port: 0, backlog: '23' }], 23],
  ])('the backlog reaches the kernel %s', async (_how, args, expected) => {
    const server = createServer()
    Reflect.apply(listenReusePort, undefined, [server, ...args])
    await once(server, 'listening')
    expect(acceptQueueLimit(portOf(server))).toBe(expected)
    await closed(server)
  })

  test('a negative backlog is as much as the kernel allows, as in Node', async () => {
    const somaxconn = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))
    for (const listen of [core, ours]) {
      const server = createServer()
      listen(server, { port: 0, backlog: -1 })
      expect(acceptQueueLimit(portOf(server))).toBe(somaxconn)
      await closed(server)
    }
  })
})
