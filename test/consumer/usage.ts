// Compiled against the published declarations by `npm run types`: what must be accepted, and what must not.
import dgram from 'node:dgram'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import {
  type AddressInUseReason,
  bindReusePort,
  type Capabilities,
  type CHANNELS,
  capabilities,
  type DatagramSocketOptions,
  type DrainReport,
  drain,
  effectiveSocketOptions,
  type Group,
  inspectGroup,
  type ListenReusePortError,
  type ListenReusePortOptions,
  listening,
  listenReusePort,
  openReusePortSocket,
  ReusePortOptionDeniedError,
  ReusePortOptionUnsupportedError,
  type ReusePortSocket,
  ReusePortUnsupportedError,
  repairGroup,
  type SocketOptions,
  type Steering,
  type SteeringPolicy,
  steer,
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

// Options of the socket, and what is read back of them.
const socketOptions: SocketOptions = {
  keepAlive: { idle: 60 },
  linger: false,
  congestion: 'bbr',
  optional: ['congestion', 'keepAlive'],
}
listenReusePort(server, {
  port: 80,
  socketOptions,
  rawSocketOptions: [{ level: 6, name: 23, value: Uint8Array.of(1), stage: 'after-listen' }],
  onSocket(unbound) {
    same<typeof unbound.transport, 'tcp'>(true)
    unbound.setOption('ttl', unbound.getOption('ttl') + 1)
    // @ts-expect-error an option of UDP
    unbound.setOption('broadcast', true)
    // @ts-expect-error not a number
    unbound.setOption('ttl', true)
  },
})
const keepAlive = socket.getOption('keepAlive')
if (keepAlive !== false) same<typeof keepAlive.idle, number | undefined>(true)
same<ReturnType<typeof socket.getOption<'linger'>>, number | false>(true)
const ttl: number | undefined = effectiveSocketOptions(server).ttl

// Every overload of socket.bind.
const datagrams = bindReusePort(dgram.createSocket('udp4'))
same<typeof datagrams, dgram.Socket>(true)
bindReusePort(datagrams, onListening)
bindReusePort(datagrams, 53)
bindReusePort(datagrams, '53', '::1', onListening)
bindReusePort(datagrams, 53, onListening)
bindReusePort(datagrams, undefined, undefined, onListening)
bindReusePort(datagrams, { port: 53, address: '::1', signal, fallback: 'unbalanced', exclusive: true }, onListening)
bindReusePort(datagrams, { fd: 3, exclusive: true })
const datagramOptions: DatagramSocketOptions = { multicastTtl: 4, optional: ['gro'] }
bindReusePort(datagrams, {
  socketOptions: datagramOptions,
  rawSocketOptions: [{ level: 17, name: 104, value: 1, stage: 'after-bind' }],
  onSocket: (unbound) => unbound.setOption('broadcast', true),
})
const loop: boolean | undefined = effectiveSocketOptions(datagrams).multicastLoop

const error: unknown = ttl ?? loop ?? why ?? fd ?? port
if (error instanceof ReusePortUnsupportedError) same<typeof error.code, 'ERR_REUSEPORT_UNSUPPORTED'>(true)

if (error instanceof ReusePortOptionUnsupportedError) same<typeof error.systems, readonly string[]>(true)
if (error instanceof ReusePortOptionDeniedError) same<typeof error.code, 'ERR_REUSEPORT_OPTION_DENIED'>(true)

// @ts-expect-error an option of UDP
listenReusePort(server, { port: 80, socketOptions: { broadcast: true } })
// @ts-expect-error an option of TCP
bindReusePort(datagrams, { socketOptions: { noDelay: true } })
// @ts-expect-error no such option to leave out
listenReusePort(server, { port: 80, socketOptions: { optional: ['fastopen'] } })
// @ts-expect-error there is no linger without a time
listenReusePort(server, { port: 80, socketOptions: { linger: true } })
// @ts-expect-error UDP does not listen
bindReusePort(datagrams, { rawSocketOptions: [{ level: 1, name: 1, value: 1, stage: 'after-listen' }] })
// @ts-expect-error a server is not a dgram socket
bindReusePort(server, 53)
// @ts-expect-error what is read is read-only
effectiveSocketOptions(server).ttl = 5
// @ts-expect-error a name that nobody knows
listenReusePort(server, { port: 80, hots: '::' })
// @ts-expect-error no such policy
listenReusePort(server, { port: 80, fallback: 'ignore' })
// @ts-expect-error the same before a callback, where an object could be taken for a handle
listenReusePort(server, { port: 80, fallback: 'ignore' }, onListening)
listenReusePort(server, new net.Socket(), onListening)
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

// Errors are told apart by their code, and a server is waited for.
server.on('error', (error: ListenReusePortError) => {
  if (error.code === 'EADDRINUSE') same<typeof error.reason, AddressInUseReason | undefined>(true)
  if (error.code === 'EACCES') same<typeof error.hint, string | undefined>(true)
  if (error.code === 'ERR_REUSEPORT_GROUP_FULL') same<typeof error.maxMembers, number>(true)
  if (error.code === 'ENOTFOUND') same<typeof error.hostname, string>(true)
})
const ready: Promise<http.Server> = listening(listenReusePort(http.createServer(), 80), { signal })
const ready2: Promise<dgram.Socket> = listening(datagrams)
same<typeof CHANNELS.fallback, 'reuseport:fallback'>(true)

// Leaving, and choosing who gets what.
const report: Promise<DrainReport> = drain(server, {
  grace: 10,
  websocketTimeout: 10,
  connectionTimeout: Number.POSITIVE_INFINITY,
  signal,
})
drain(dgram.createSocket('udp4'))
report.then(({ method }) => same<typeof method, 'steer' | 'migrate' | 'defer' | 'hand-over' | 'close'>(true))
// @ts-expect-error it is a number of ms
drain(server, { grace: '10' })
const steering: Promise<Steering> = steer(server, {
  weights: [
    { pid: 1, weight: 2 },
    { slot: 0, weight: 0.5 },
  ],
})
steer({ port: 8080, host: '::1' }, 'hash', { optional: true })
listenReusePort(server, { port: 1, steering: 'random' })
listenReusePort(server, { port: 1, steering: { policy: { cpu: true }, optional: true } })
listenReusePort(server, { port: 1, steering: 'cpu' })
const byCpu: SteeringPolicy = 'cpu'
listenReusePort(server, { port: 1, steering: { policy: byCpu } })
// @ts-expect-error no such policy
const fair: SteeringPolicy = 'fair'
// @ts-expect-error a weight is missing
const weightless: SteeringPolicy = { weights: [{ pid: 1 }] }
// @ts-expect-error a name names something
const nameless: SteeringPolicy = { exclude: [{}] }
// @ts-expect-error it is there or it is not
const sometimes: SteeringPolicy = { cpu: false }
repairGroup({ port: 8080 })
repairGroup(8080)
steer(8080, 'cpu')
const group: Promise<Group> = inspectGroup(8080)

export { fair, group, nameless, ready, ready2, sometimes, steering, weightless }
