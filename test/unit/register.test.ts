// The preload in a worker of `reuseport run --one-socket`: which calls of `server.listen` come from the common socket.
import net from 'node:net'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'

const listened = vi.hoisted(() => ({ calls: [] as unknown[], shared: [] as unknown[][], paths: [] as unknown[] }))

vi.mock('../../src/supervised/supervise.js', () => ({
  supervise: () => ({
    steering: 'cpu',
    common: { ask: (_server: unknown, request: { wish: unknown }) => listened.paths.push(request.wish) },
    oneSocket: { listen: (_server: unknown, call: unknown) => listened.calls.push(call) },
  }),
}))
vi.mock('../../src/index.js', () => ({
  listenReusePort: (server: unknown, ...args: unknown[]) => {
    listened.shared.push(args)
    return server
  },
}))

const { listen } = net.Server.prototype
await import('../../src/register.js')

afterAll(() => {
  net.Server.prototype.listen = listen
})

beforeEach(() => {
  listened.calls = []
  listened.shared = []
  listened.paths = []
})

const NONE = { host: undefined, backlog: undefined, ipv6Only: false, signal: undefined, callback: undefined }
const callback = (): void => {}

test.each([
  [[80], { ...NONE, port: 80 }],
  [['80', '127.0.0.1'], { ...NONE, port: 80, host: '127.0.0.1' }],
  [[80, 7, callback], { ...NONE, port: 80, backlog: 7, callback }],
  [[80, '::1', 7], { ...NONE, port: 80, host: '::1', backlog: 7 }],
  [[callback], { ...NONE, port: 0, callback }],
  [[], { ...NONE, port: 0 }],
  [[null], { ...NONE, port: 0 }],
  [
    [{ port: 80, host: '', backlog: '9', ipv6Only: true }, callback],
    { ...NONE, port: 80, backlog: 9, ipv6Only: true, callback },
  ],
  [[{ port: 80, backlog: -1 }], { ...NONE, port: 80 }],
  [[{ port: 80, backlog: 7n }], { ...NONE, port: 80 }],
  [[{ port: 80, backlog: Symbol('many') }], { ...NONE, port: 80 }],
  [[{ port: undefined }], { ...NONE, port: 0 }],
  [[{ port: null }], { ...NONE, port: 0 }],
] as const)('from the common socket: %s', (args, call) => {
  const server = net.createServer()
  expect(Reflect.apply(server.listen, server, args)).toBe(server)
  expect(listened.calls).toEqual([call])
  expect(listened.shared).toEqual([])
})

test.each([[[{ port: 70_000 }]], [[{ port: -1 }]], [[{ port: 80, host: 7 }]]] as const)(
  'what Node has something to say against goes to Node: %j',
  (args) => {
    const server = net.createServer()
    Reflect.apply(server.listen, server, args)
    expect(listened.calls).toEqual([])
    expect(listened.shared).toEqual([
      [{ ...args[0], fallback: 'error', steering: { policy: { cpu: true }, optional: true } }],
    ])
  },
)

test.each([[[{ path: '\0reuseport-register-test' }]], [['\0reuseport-register-test']]])(
  'a path is shared: %j',
  (args) => {
    Reflect.apply(net.Server.prototype.listen, net.createServer(), args)
    const wish = { address: '\0reuseport-register-test', port: 0, ipv6Only: false, options: 'unix' }
    expect(listened).toEqual({ calls: [], shared: [], paths: [wish] })
  },
)

test.each([
  [[{ port: 0, reusePort: false }]],
  [[{ path: '\0reuseport-register-test', exclusive: true }]],
  [[{ path: '\0reuseport-register-test', reusePort: false }]],
])('what names no port to share is left alone: %j', async (args) => {
  const server = net.createServer()
  Reflect.apply(server.listen, server, args)
  expect(listened).toEqual({ calls: [], shared: [], paths: [] })
  await new Promise((resolve) => server.once('listening', resolve))
  server.close()
})
