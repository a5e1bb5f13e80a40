// Compiled against the published declarations by `npm run types`: what must be accepted, and what must not.
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import {
  type Capabilities,
  capabilities,
  type ListenReusePortOptions,
  listenReusePort,
  openReusePortSocket,
  type ReusePortSocket,
  ReusePortUnsupportedError,
} from 'reuseport'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

const onListening = (): void => {}
const server = net.createServer()
const { signal } = new AbortController()

// Every overload of server.listen, and the server's own type comes back.
const plain = listenReusePort(http.createServer())
same<typeof plain, http.Server>(true)
const secure = listenReusePort(https.createServer(), 443, '::', 511, onListening)
same<typeof secure, https.Server>(true)
const h2 = listenReusePort(http2.createServer(), { port: 80 })
same<typeof h2, http2.Http2Server>(true)
const h2s = listenReusePort(http2.createSecureServer(), { port: 80 }, onListening)
same<typeof h2s, http2.Http2SecureServer>(true)
const encrypted = listenReusePort(tls.createServer(), 80, onListening)
same<typeof encrypted, tls.Server>(true)
listenReusePort(server, onListening)
listenReusePort(server, 80)
listenReusePort(server, '80')
listenReusePort(server, 80, '::1')
listenReusePort(server, 80, '::1', onListening)
listenReusePort(server, 80, '::1', 10)
listenReusePort(server, 80, 10)
listenReusePort(server, 80, 10, onListening)
listenReusePort(server, null, onListening)
listenReusePort(server, '/run/app.sock', onListening)
listenReusePort(server, '/run/app.sock', 10)
listenReusePort(server, { path: '/run/app.sock', readableAll: true })
listenReusePort(server, { fd: 3 })
listenReusePort(server, plain, onListening)
listenReusePort(server, { port: 80, host: '::', backlog: 1, ipv6Only: true, signal, fallback: 'exclusive' })

const frozen: Readonly<ListenReusePortOptions> = Object.freeze({ port: 80, signal: undefined, host: undefined })
listenReusePort(server, frozen)

const system: Capabilities = capabilities()
same<typeof system.semantics, 'hash' | 'last-wins' | 'none'>(true)
const why: string | undefined = system.reasons.balanced

const socket: ReusePortSocket = openReusePortSocket({ port: 80, host: '::1', fallback: 'unbalanced' })
const fd: number = socket.fd
const port: number = socket.address().port
same<ReturnType<typeof socket.listen<http.Server>>, http.Server>(true)
socket[Symbol.dispose]()

const error: unknown = why ?? fd ?? port
if (error instanceof ReusePortUnsupportedError) same<typeof error.code, 'ERR_REUSEPORT_UNSUPPORTED'>(true)

// @ts-expect-error a name that nobody knows
listenReusePort(server, { port: 80, hots: '::' })
// @ts-expect-error no such policy
listenReusePort(server, { port: 80, fallback: 'ignore' })
// @ts-expect-error a shared port cannot be asked not to be
listenReusePort(server, { port: 80, reusePort: false })
// @ts-expect-error an Express app is not a server
listenReusePort(() => {}, 80)
// @ts-expect-error no server
listenReusePort(80)
// @ts-expect-error there is no socket for this policy
openReusePortSocket({ fallback: 'exclusive' })
// @ts-expect-error a port of a socket is a number
openReusePortSocket({ port: '80' })
// @ts-expect-error capabilities are read-only
system.balanced = true
// @ts-expect-error made by openReusePortSocket alone
;new (socket.constructor as never)()
