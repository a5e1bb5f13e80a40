import diagnostics from 'node:diagnostics_channel'
import dns from 'node:dns'
import type { Server } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { core, type Listen, occupyPort, once, ours, portOf, SERVER_KINDS } from '../support/listeners.js'
import { describeError } from '../support/observe.js'

interface Stage {
  readonly server: Server
  readonly listen: Listen
  readonly log: unknown[]
}

/** Runs a scenario with core's listen and with ours; what each wrote into its log must be the same. */
async function compare(createServer: () => Server, scenario: (stage: Stage) => Promise<void>): Promise<unknown[]> {
  const [expected, seen] = [await play(createServer(), core, scenario), await play(createServer(), ours, scenario)]
  expect(seen).toEqual(expected)
  return seen
}

async function play(server: Server, listen: Listen, scenario: (stage: Stage) => Promise<void>): Promise<unknown[]> {
  const log: unknown[] = []
  for (const event of ['listening', 'close']) server.on(event, () => log.push(event))
  server.on('error', (error) => log.push(['error', describeError(error)]))
  await scenario({ server, listen, log })
  if (server.listening) {
    server.close()
    await once(server, 'close')
  }
  return log
}

function attempt(log: unknown[], action: () => void): void {
  try {
    action()
  } catch (error) {
    log.push(['threw', describeError(error)])
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

afterEach(() => vi.restoreAllMocks())

describe.each(Object.entries(SERVER_KINDS))('%s server', (_kind, createServer) => {
  test('a second listen while listening throws before its callback is added', async () => {
    const log = await compare(createServer, async ({ server, listen, log }) => {
      listen(server, 0)
      attempt(log, () => listen(server, 0, () => log.push('never called')))
      attempt(log, () => listen(server, { port: 70000 }))
      log.push(server.listenerCount('listening'))
      await once(server, 'listening')
    })
    expect(JSON.stringify(log)).toContain('ERR_SERVER_ALREADY_LISTEN')
  })

  test('listen works again after an error', async () => {
    await using occupied = await occupyPort('127.0.0.1')
    const log = await compare(createServer, async ({ server, listen, log }) => {
      listen(server, occupied.port, '127.0.0.1', () => log.push('first callback'))
      await new Promise((resolve) => server.once('error', resolve))
      log.push(server.listening, server.address())
      listen(server, 0, '127.0.0.1', () => log.push('second callback'))
      await once(server, 'listening')
    })
    // Node's own habit: the callback of the call that failed still waits for 'listening'.
    expect(log).toContain('first callback')
  })

  test('listen works again after close', async () => {
    await compare(createServer, async ({ server, listen, log }) => {
      for (const round of [1, 2, 3]) {
        listen(server, 0, () => log.push(['listening in round', round]))
        await once(server, 'listening')
        server.close((error) => log.push(['closed', error]))
        await once(server, 'close')
        log.push(server.listening, server.address())
      }
    })
  })

  test('close in the same turn cancels the listening event', async () => {
    await compare(createServer, async ({ server, listen, log }) => {
      listen(server, 0, () => log.push('callback'))
      server.close((error) => log.push(['closed', error]))
      await turns(3)
    })
  })

  test('close during the lookup cancels it', async () => {
    const log = await compare(createServer, async ({ server, listen, log }) => {
      listen(server, 0, 'localhost', () => log.push('callback'))
      server.close((error) => log.push(['closed', describeError(error)]))
      await once(server, 'close')
      await new Promise((resolve) => dns.lookup('localhost', resolve))
      await turns(3)
      log.push(server.listening, server.address())
    })
    expect(JSON.stringify(log)).toContain('ERR_SERVER_NOT_RUNNING')
  })

  test('a second listen during the lookup takes the place of the first', async () => {
    await compare(createServer, async ({ server, listen, log }) => {
      listen(server, 0, '127.0.0.1', () => log.push('first callback'))
      listen(server, 0, () => log.push('second callback'))
      await once(server, 'listening')
      await turns(3)
      log.push((server.address() as { address: string }).address)
    })
  })

  test('two lookups: the later one wins', async () => {
    await compare(createServer, async ({ server, listen, log }) => {
      listen(server, 0, '127.0.0.1')
      listen(server, 0, '127.0.0.2')
      await once(server, 'listening')
      await turns(3)
      log.push((server.address() as { address: string }).address)
    })
  })

  test('unref before listening does not keep the handle referenced', async () => {
    await compare(createServer, async ({ server, listen, log }) => {
      server.unref()
      listen(server, 0)
      log.push((server as unknown as { _handle: { hasRef(): boolean } })._handle.hasRef())
      server.ref()
      await once(server, 'listening')
    })
  })

  test('Symbol.asyncDispose closes', async () => {
    await compare(createServer, async ({ server, listen, log }) => {
      listen(server, 0)
      await once(server, 'listening')
      await server[Symbol.asyncDispose]()
      log.push(server.listening)
    })
  })

  test('_connectionKey is made of what was asked for', async () => {
    const log = await compare(createServer, async ({ server, listen, log }) => {
      listen(server, 0, '127.0.0.1')
      await once(server, 'listening')
      log.push((server as unknown as { _connectionKey: string })._connectionKey)
    })
    expect(log).toContain('4:127.0.0.1:0')
  })
})

const createServer = SERVER_KINDS['net'] as () => Server

describe('signal', () => {
  test('aborted before: no listening event, one close', async () => {
    for (const host of [undefined, '127.0.0.1']) {
      const log = await compare(createServer, async ({ server, listen, log }) => {
        listen(server, { port: 0, host, signal: AbortSignal.abort() }, () => log.push('callback'))
        await once(server, 'close')
        await turns(3)
        log.push(server.listening)
      })
      expect(log).toEqual(['close', false])
    }
  })

  test('aborted later: closes, once', async () => {
    const log = await compare(createServer, async ({ server, listen, log }) => {
      const controller = new AbortController()
      listen(server, { port: 0, signal: controller.signal })
      await once(server, 'listening')
      controller.abort()
      await once(server, 'close')
      log.push(server.listening)
    })
    expect(log).toEqual(['listening', 'close', false])
  })

  test('aborted during the lookup: never listens', async () => {
    await compare(createServer, async ({ server, listen, log }) => {
      const controller = new AbortController()
      listen(server, { port: 0, host: 'localhost', signal: controller.signal }, () => log.push('callback'))
      controller.abort()
      await once(server, 'close')
      await new Promise((resolve) => dns.lookup('localhost', resolve))
      await turns(3)
      log.push(server.listening)
    })
  })

  test('closing takes the listener off the signal', async () => {
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    const server = createServer()
    ours(server, { port: 0, signal })
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    expect(removed).toHaveBeenCalledOnce()
  })
})

describe('lookup', () => {
  type Callback = (error: Error | null, found: unknown, family?: number) => void

  function mockLookup(found: readonly { address: string; family: number }[] | Error): void {
    const lookup = (_host: string, options: unknown, then?: Callback): void => {
      const callback = then ?? (options as Callback)
      process.nextTick(() => {
        if (found instanceof Error) callback(found, undefined)
        else if (then !== undefined) callback(null, found)
        else callback(null, found[0]?.address, found[0]?.family)
      })
    }
    vi.spyOn(dns, 'lookup').mockImplementation(lookup as never)
  }

  const resolved = {
    'one address': [{ address: '127.0.0.1', family: 4 }],
    'several addresses': [
      { address: '127.0.0.3', family: 4 },
      { address: '::1', family: 6 },
    ],
    'a link-local address first': [
      { address: 'fe80::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ],
    'the last link-local prefix first': [
      { address: 'febf::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ],
    'a site-local address first, which is not link-local': [
      { address: 'fec0::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ],
    'link-local addresses alone': [{ address: 'fe80::1', family: 6 }],
    'an address that is none': [{ address: '300.1.1.1', family: 4 }],
    'a failure': Object.assign(new Error('lookup failed'), { code: 'ESERVFAIL' }),
  }

  test.each(Object.entries(resolved))('%s', async (_what, found) => {
    mockLookup(found)
    await compare(createServer, async ({ server, listen, log }) => {
      const settled = new Promise((resolve) => server.once('listening', resolve).once('error', resolve))
      listen(server, 0, 'a.name')
      await settled
      const address = server.address()
      log.push(address !== null && typeof address === 'object' ? address.address : address)
    })
    expect(dns.lookup).toHaveBeenCalledTimes(2)
  })
})

test("Node's diagnostics channel hears of listening and of failing, with host and port", async () => {
  await using occupied = await occupyPort('127.0.0.1')
  const events = ['asyncStart', 'asyncEnd', 'error']
  for (const port of [0, occupied.port]) {
    await compare(createServer, async ({ server, listen, log }) => {
      const listeners = events.map((event) => {
        const name = `tracing:net.server.listen:${event}`
        const listener = (message: unknown): void => {
          const { server: named, options, error } = message as { server: Server; options?: object; error?: Error }
          const asked = options && { host: Reflect.get(options, 'host'), port: Reflect.get(options, 'port') }
          log.push([event, named === server, asked, describeError(error)])
        }
        diagnostics.subscribe(name, listener)
        return () => diagnostics.unsubscribe(name, listener)
      })
      const settled = new Promise((resolve) => server.once('listening', resolve).once('error', resolve))
      listen(server, { port, host: '127.0.0.1' })
      await settled
      for (const unsubscribe of listeners) unsubscribe()
    })
  }
})

test('paths, descriptors and handles go to Node unchanged', async () => {
  await compare(createServer, async ({ server, listen, log }) => {
    const path = `\0reuseport-test-${process.pid}`
    listen(server, path, () => log.push('callback'))
    await once(server, 'listening')
    log.push(server.address())
  })
  await compare(createServer, async ({ server, listen, log }) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    listen(server, { _handle: (other as unknown as { _handle: object })._handle }, 5)
    await once(server, 'listening')
    log.push(portOf(server) === portOf(other))
  })
})
