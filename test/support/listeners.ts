import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'
import { listenReusePort } from '../../src/index.js'
import { CERTIFICATE, PRIVATE_KEY } from './certificate.js'

const credentials = { key: PRIVATE_KEY, cert: CERTIFICATE }

/** One of each kind of server that a port can be shared by. */
export const SERVER_KINDS: Readonly<Record<string, () => net.Server>> = {
  net: () => net.createServer(),
  http: () => http.createServer(),
  https: () => https.createServer(credentials),
  'http2 (clear)': () => http2.createServer() as unknown as net.Server,
  'http2 (secure)': () => http2.createSecureServer(credentials) as unknown as net.Server,
  tls: () => tls.createServer(credentials),
}

export type Listen = (server: net.Server, ...args: unknown[]) => unknown

export const core: Listen = (server, ...args) => Reflect.apply(server.listen, server, args)
export const ours: Listen = (server, ...args) => Reflect.apply(listenReusePort, undefined, [server, ...args])

/** The suite of the contract runs over both. */
export const IMPLEMENTATIONS: readonly (readonly [string, Listen])[] = [
  ['server.listen', core],
  ['listenReusePort', ours],
]

export function portOf(server: net.Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return address.port
}

/** A listener without SO_REUSEPORT, on a port of its own where none is named; closed when it goes out of scope. */
export async function occupyPort(host: string, port = 0): Promise<{ port: number } & AsyncDisposable> {
  const server = net.createServer().listen(port, host)
  await once(server, 'listening')
  return { port: portOf(server), [Symbol.asyncDispose]: () => closed(server) }
}

// Below the ports that Linux gives to those who ask for none (net.ipv4.ip_local_port_range begins at 32768): what other
// tests do beside this one never takes a port between the moment it is found free and the one a program listens on it,
// which takes a second where three processes have to start first. Each of vitest's workers has ports of its own.
const FIRST_PORT = 15_000
const WORKERS = 8
const PORTS_EACH = 2000
const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS
let next = Math.floor(Math.random() * PORTS_EACH)

/** A port that nobody has at the moment, and nobody else is given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + worker + WORKERS * (next++ % PORTS_EACH)
    try {
      await using _ = await occupyPort('::', port)
      return port
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

export function closed(server: net.Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

/** The next event of this name, or the error that came instead. */
export function once(server: net.Server, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    server.once(event, resolve)
    if (event !== 'error') server.once('error', reject)
  })
}
