// Which unknown names are a misspelt option, and which belong to somebody else.
import dgram from 'node:dgram'
import net from 'node:net'
import fc from 'fast-check'
import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { bindReusePort, listenReusePort } from '../../src/index.js'
import { LISTEN_OPTIONS } from '../../src/listen/listen-arguments.js'
import { loadAddon } from '../../src/native/addon.js'
import { editDistance, misspeltName, nearestName } from '../../src/options/option-names.js'
import { misspeltVariables } from '../../src/options/variables.js'
import { OPTIONS as SUPERVISOR_OPTIONS } from '../../src/supervisor/options.js'
import { closed, once } from '../support/listeners.js'

const { known, inert } = LISTEN_OPTIONS
const BIND = ['port', 'address', 'exclusive', 'signal', 'fallback', 'socketOptions', 'rawSocketOptions', 'onSocket']
const DRAIN = ['grace', 'handshakeTimeout', 'idleTimeout', 'connectionTimeout', 'lockTimeout', 'handOver', 'optional']

/** Names that callers have in the same object as `port` and `host`: of Node, and of what is built on it. */
const FOREIGN: Readonly<Record<string, string>> = {
  'net and dgram': `allowHalfOpen pauseOnConnect noDelay keepAlive keepAliveInitialDelay highWaterMark blockList path
    readableAll writableAll fd handle localAddress localPort family hints lookup autoSelectFamily timeout onread
    readable writable type reuseAddr recvBufferSize sendBufferSize receiveBlockList sendBlockList`,
  http: `IncomingMessage ServerResponse connectionsCheckingInterval headersTimeout insecureHTTPParser joinDuplicateHeaders
    keepAliveTimeout keepAliveTimeoutBuffer maxHeaderSize requestTimeout requireHostHeader uniqueHeaders
    rejectNonStandardBodyWrites shouldUpgradeCallback optimizeEmptyRequests agent auth method headers protocol
    defaultPort setHost setDefaultHeaders socketPath createConnection maxHeadersCount`,
  'https and http2': `ca cert ciphers clientCertEngine crl dhparam ecdhCurve honorCipherOrder key passphrase pfx minVersion
    maxVersion secureOptions secureProtocol sessionIdContext ticketKeys sessionTimeout handshakeTimeout requestCert
    rejectUnauthorized ALPNProtocols ALPNCallback SNICallback pskCallback pskIdentityHint enableTrace allowHTTP1
    maxDeflateDynamicTableSize maxSettings maxSessionMemory maxHeaderListPairs maxOutstandingPings
    maxSendHeaderBlockLength paddingStrategy peerMaxConcurrentStreams settings remoteCustomSettings
    unknownProtocolTimeout Http1IncomingMessage Http2ServerRequest streamResetBurst streamResetRate
    strictFieldWhitespaceValidation`,
  Fastify: `cb listenTextResolver exclusive backlog ipv6Only signal http http2 https http2SessionTimeout logger
    loggerInstance disableRequestLogging serverFactory caseSensitive ignoreTrailingSlash ignoreDuplicateSlashes
    requestIdHeader requestIdLogLabel genReqId trustProxy querystringParser routerOptions maxParamLength bodyLimit
    onProtoPoisoning onConstructorPoisoning schemaController schemaErrorFormatter pluginTimeout connectionTimeout
    maxRequestsPerSocket forceCloseConnections return503OnClosing rewriteUrl exposeHeadRoutes constraints
    clientErrorHandler frameworkErrors ajv childLoggerFactory jsonShorthand useSemicolonDelimiter initialConfig
    allowErrorHandlerOverride allowUnsafeRegex versioning`,
  hapi: `app autoListen cache compression cors debug info listener load mime operations plugins query router routes state
    tls uri validate`,
  'ws and socket.io': `server verifyClient handleProtocols noServer clientTracking perMessageDeflate maxPayload
    skipUTF8Validation WebSocket closeTimeout allowSynchronousEvents autoPong transports pingInterval pingTimeout
    upgradeTimeout maxHttpBufferSize allowRequest allowUpgrades cookie wsEngine destroyUpgrade addTrailingSlash
    connectTimeout serveClient adapter parser connectionStateRecovery cleanupEmptyChildNamespaces`,
  'Vite, webpack-dev-server, Next': `hot open proxy strictPort allowedHosts hmr ws watch warmup middlewareMode fs origin
    sourcemapIgnoreList client compress devMiddleware headers historyApiFallback liveReload onListening
    setupExitSignals setupMiddlewares static watchFiles webSocketServer ipc bonjour magicHtml dev dir conf quiet
    customServer httpServer minimalMode experimentalTestProxy turbo base build root preview`,
  'Hono, Koa, Express, Nest, others': `fetch createServer serverOptions overrideGlobalObjects autoCleanupIncoming websocket
    env keys subdomainOffset maxIpsCount asyncLocalStorage compose views engine locals settings cors bodyParser
    rawBody abortOnError bufferLogs snapshot preview autoFlushLogs retryAttempts retryDelay url queue prefix package
    protoPath exclude reserve name version formatters handleUncaughtExceptions log spdy onError onNoMatch context
    listen typeDefs resolvers plugins introspection csrfPrevention nodeEnv stopOnTerminationSignals instances cluster
    workers callback post get put sort cost secret database db redis user password schema ssl pool max min idle
    connectionString options config args silent verbose debug title description tags handler handlers middleware
    hosts2 portfolio hosting reporter support transport export import signals logging location protocols timeout`,
}

const names = Object.values(FOREIGN).flatMap((text) => text.split(/\s+/))

test('the distance counts letters that are added, left out, replaced or swapped', () => {
  const pairs = [
    ['port', 'port', 0],
    ['port', 'prot', 1],
    ['port', 'prt', 1],
    ['port', 'ports', 1],
    ['port', 'pork', 1],
    ['port', 'trop', 3],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['ca', 'abc', 3],
  ] as const
  for (const [from, to, distance] of pairs) expect([from, to, editDistance(from, to)]).toEqual([from, to, distance])
})

test('the distance is symmetric, 0 for equal names only, and at most the longer length', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
  fc.assert(
    fc.property(letters, letters, (from, to) => {
      const distance = editDistance(from, to)
      expect(distance).toBe(editDistance(to, from))
      expect(distance === 0).toBe(from === to)
      expect(distance).toBeLessThanOrEqual(Math.max(from.length, to.length))
      expect(distance).toBeGreaterThanOrEqual(Math.abs(from.length - to.length))
    }),
  )
})

test('no option is a misspelling of another one', () => {
  const state = loadAddon()
  if (!state.loaded) throw state.cause
  const table = state.addon.socketOptions.map(({ name }) => name)
  const all = [...new Set([...known, ...inert, ...BIND, ...DRAIN, ...SUPERVISOR_OPTIONS, ...table])]
  const others = (name: string): readonly string[] => all.filter((one) => one !== name)
  const confused = all
    .map((name) => [name, misspeltName(name, others(name))])
    .filter(([, meant]) => meant !== undefined)
  // `oneSocket` is of the supervisor; the two handles are Node's, and never suggested.
  expect(confused).toEqual([
    ['onSocket', 'oneSocket'],
    ['handle', '_handle'],
    ['_handle', 'handle'],
    ['oneSocket', 'onSocket'],
  ])
})

test.each(Object.entries(FOREIGN))('names of %s are let through beside a port', async (_whose, text) => {
  for (const name of text.split(/\s+/)) {
    if (name === 'signal' || known.includes(name)) continue
    const given = Object.freeze({ port: 0, host: '127.0.0.1', [name]: undefined })
    const server = net.createServer()
    expect(() => listenReusePort(server, given), name).not.toThrow()
    server.close()
    const socket = dgram.createSocket('udp4')
    const address = Object.freeze({ port: 0, address: '127.0.0.1', [name]: undefined })
    expect(() => bindReusePort(socket, address), name).not.toThrow()
    socket.close()
  }
})

describe.each([...known])('%s', (name) => {
  const chance = fc.nat(name.length - 1)
  const slip = fc.oneof(
    chance.map((at) => name.slice(0, at) + name.slice(at + 1)),
    chance.map((at) => name.slice(0, at) + name[at] + name.slice(at)),
    chance.map((at) => name.slice(0, at) + (name[at + 1] ?? '') + name[at] + name.slice(at + 2)),
    fc.constantFrom(name.toUpperCase(), name.toLowerCase(), `${name}s`, `_${name}`, name.replace(/[A-Z]/, '_$&')),
  )

  test('is what was meant by one slip of it', () => {
    fc.assert(
      fc.property(slip, (written) => {
        fc.pre(!known.includes(written) && !names.includes(written))
        expect(misspeltName(written, known)).toBe(name)
      }),
    )
  })
})

test.each([
  [{ prot: 8080 }, 'prot', 'port'],
  [{ Port: 8080 }, 'Port', 'port'],
  [{ port: 0, hots: '::1' }, 'hots', 'host'],
  [{ port: 0, hostname: '::1' }, 'hostname', 'host'],
  [{ port: 0, address: '::1' }, 'address', 'host'],
  [{ port: 0, socketOption: {} }, 'socketOption', 'socketOptions'],
  [{ port: 0, deferAccept: 5 }, 'deferAccept', 'socketOptions.deferAccept'],
  [{ port: 0, bindToDevice: 'lo' }, 'bindToDevice', 'socketOptions.bindToDevice'],
])('listenReusePort refuses %j', (options, option, nearest) => {
  const server = net.createServer()
  expect(() => listenReusePort(server, options as object)).toThrow(
    expect.objectContaining({
      code: 'ERR_REUSEPORT_UNKNOWN_OPTION',
      option,
      nearest,
      message: `The option 'options.${option}' is unknown. Did you mean '${nearest}'?`,
    }),
  )
  expect(server.eventNames()).toEqual([])
})

test.each([
  [{ port: 0, hostname: '127.0.0.1' }, 'address'],
  [{ port: 0, host: '127.0.0.1' }, 'address'],
  [{ prot: 5353 }, 'port'],
  [{ port: 0, receivePacketInfo: true }, 'socketOptions.receivePacketInfo'],
])('bindReusePort refuses %j', (options, nearest) => {
  const socket = dgram.createSocket('udp4')
  expect(() => bindReusePort(socket, options as object)).toThrow(expect.objectContaining({ nearest }))
  socket.close()
})

test('another name of an option is let through beside the option', async () => {
  const server = listenReusePort(net.createServer(), {
    port: 0,
    host: '127.0.0.1',
    hostname: 'x',
    address: 'y',
  } as object)
  await once(server, 'listening')
  await closed(server)
})

test("a path and Node's own error for options without a port stay as they are", () => {
  expect(() => listenReusePort(net.createServer(), { cb: 1 } as object)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE', message: expect.stringContaining('"port" or "path"') }),
  )
})

test("what Fastify's serverFactory hands over is taken as it is", async () => {
  let seen: readonly string[] = []
  const app = Fastify({
    serverFactory: (handler) => {
      const server = net.createServer()
      const listen = server.listen.bind(server)
      void handler
      return Object.assign(server, {
        listen: (...args: unknown[]) => {
          const [options] = args
          if (
            typeof options !== 'object' ||
            options === null ||
            'fd' in options ||
            '_handle' in options ||
            'handle' in options
          )
            return Reflect.apply(listen, undefined, args)
          seen = Object.keys(options)
          return Reflect.apply(listenReusePort, undefined, [server, ...args])
        },
      }) as never
    },
  })
  await app.listen({ port: 0, host: '127.0.0.1', listenTextResolver: (address) => address })
  expect(seen).toEqual(expect.arrayContaining(['port', 'host', 'cb', 'listenTextResolver']))
  await app.close()
})

test('variables of the environment', () => {
  const misspelt = [
    'REUSEPORT_PORT',
    'reuseport_ports',
    'REUSE_PORT_PORTS',
    'REUSEPORT_FALLBAK',
    'REUSEPORT_\u001bPORTS',
  ]
  const others = [
    'REUSEPORT_WORKER',
    'REUSEPORT_WORKER_FD',
    'REUSEPORT_WORKER_REGISTER',
    'REUSEPORT_CI_SECONDS',
    'PORTS',
  ]
  const known = ['REUSEPORT_PORTS', 'REUSEPORT_FALLBACK']
  const told = misspeltVariables(Object.fromEntries([...misspelt, ...others, ...known].map((name) => [name, '1'])))
  expect(told.map((text) => JSON.parse(text.split(' ')[3] ?? ''))).toEqual(misspelt)
  expect(told.join('')).not.toContain('\u001b')
})

test('a suggestion is more generous', () => {
  expect(nearestName('keepAlive.idle', ['ttl', 'keepAlive'])).toBe('keepAlive')
  expect(nearestName('zzz', known)).toBeUndefined()
})
