/**
 * `node --require reuseport/register app.js`: every TCP `server.listen` of the process, its worker threads and its
 * cluster workers shares its port, as by `listenReusePort`, and every UDP `socket.bind` as by `bindReusePort`, but for
 * `exclusive: true` and in cluster workers. Other calls are unchanged.
 *
 * - `REUSEPORT_PORTS`: ports, separated by commas, such as `8080,8443` or `!9229`. A port with `!` in front is not
 *   shared. If a port without `!` is named, only such ports are shared. Default: all ports are shared. Unix paths, which
 *   workers of a supervisor share, are named likewise: `/run/app.sock`, or `@name` for an abstract one.
 * - `REUSEPORT_FALLBACK`: what happens where the kernel does not balance: `error` (default), `unbalanced` or
 *   `exclusive`.
 *
 * A call with `reusePort: false` does not share its port.
 */
import net from 'node:net'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { type FallbackPolicy, type ListenReusePortOptions, listenReusePort, type SteeringOption } from './index.js'
import { parsePlaces } from './options/shared-places.js'
import { misspeltVariables } from './options/variables.js'
import { isClusterWorker } from './supervised/nested.js'
import type { OneSocket, PortCall } from './supervised/one-socket.js'
import { passOnByRequire } from './supervised/pass-on.js'
import { listenOnPath } from './supervised/path-call.js'
import { shareDatagrams } from './supervised/share-datagrams.js'
import { supervise } from './supervised/supervise.js'
import { REGISTER_URL, type SteeringName, WORKER_NAME } from './supervisor/protocol.js'

/** The options of `server.listen` that apply to a port. A program may have further properties in the same object. */
const OPTIONS = ['port', 'host', 'backlog', 'ipv6Only', 'exclusive', 'signal'] as const

const POLICIES: readonly FallbackPolicy[] = ['error', 'unbalanced', 'exclusive']

const INSTALLED = Symbol.for('reuseport.register')

const isInCharge = takeCharge()
const isShared = parsePlaces(process.env['REUSEPORT_PORTS'])
const fallback = parseFallback(process.env['REUSEPORT_FALLBACK'])
const worker = isInCharge ? supervise() : undefined
if (isInCharge && process.env[WORKER_NAME] === undefined) warnOfVariables()
const steering = toSteering(worker?.steering)
/** Options that are added to every call. */
const others = { fallback, ...(steering && { steering }) }

type Listen = (this: net.Server, ...args: unknown[]) => net.Server

const prototype = net.Server.prototype as unknown as { listen: Listen }
const { listen } = prototype
/** Servers for which `listenReusePort` runs: a `server.listen` that it calls goes to Node. */
const listening = new WeakSet<net.Server>()

if (isInCharge) {
  prototype.listen = listenShared
  shareDatagrams(isShared, fallback)
  if (isMainThread) passOnByRequire(fileURLToPath(import.meta.url))
}

function listenShared(this: net.Server, ...args: unknown[]): net.Server {
  if (listening.has(this)) return Reflect.apply(listen, this, args)
  const call = toCall(args)
  if (call === undefined) {
    const isOnPath = worker !== undefined && listenOnPath(worker.common, this, args, isShared, listen)
    return isOnPath ? this : Reflect.apply(listen, this, args)
  }
  const isTaken = worker?.oneSocket !== undefined && listenOnOne(worker.oneSocket, this, call)
  if (isTaken) return this
  listening.add(this)
  try {
    return Reflect.apply(listenReusePort, undefined, [this, ...call]) as net.Server
  } finally {
    listening.delete(this)
  }
}

/**
 * Whether this copy of the package is the one that acts in this thread: the supervisor's own copy where there is one, and
 * otherwise the first. A program may have a copy of its own, of another version too.
 */
function takeCharge(): boolean {
  const url = process.env[REGISTER_URL] ?? import.meta.url
  if (url !== import.meta.url || INSTALLED in globalThis) return false
  delete process.env[REGISTER_URL]
  Object.defineProperty(globalThis, INSTALLED, { value: true })
  return true
}

/** The threads and cluster workers of the program have its variables, and a supervisor warns for its workers. */
function warnOfVariables(): void {
  if (!isMainThread || isClusterWorker()) return
  for (const message of misspeltVariables(process.env)) {
    process.emitWarning(message, { type: 'ReusePortWarning', code: 'REUSEPORT_UNKNOWN_VARIABLE' })
  }
}

/** Listens on the socket that all workers accept from. @returns false for a call that Node has to refuse. */
function listenOnOne(oneSocket: OneSocket, server: net.Server, [options, callback]: readonly unknown[]): boolean {
  const { port, host, backlog, ipv6Only, signal } = options as Record<string, unknown>
  const number = Number(port ?? 0)
  if (server.listening || number > 65_535 || number < 0 || (host !== undefined && typeof host !== 'string'))
    return false
  const call: PortCall = {
    port: number,
    host: host || undefined,
    backlog: toNumber(backlog),
    ipv6Only: ipv6Only === true,
    signal: signal as AbortSignal | undefined,
    callback: typeof callback === 'function' ? (callback as () => void) : undefined,
  }
  oneSocket.listen(server, call, (to, ...args) => void Reflect.apply(listen, to, args))
  return true
}

/** The arguments for `listenReusePort`, with `others`; undefined where the call does not name a port to share. */
function toCall(args: readonly unknown[]): readonly unknown[] | undefined {
  const [first, second, third] = args
  if (typeof first !== 'object' || first === null) {
    // Node reads a value that is not a number as a path. Where the value is missing, the kernel chooses the port.
    const port = typeof first === 'function' || first === null || first === undefined ? 0 : Number(first)
    if (!isShared(port)) return undefined
    const host = typeof second === 'string' ? second : undefined
    const backlog = toNumber(second) || toNumber(third)
    const last = args.at(-1)
    const callback = typeof last === 'function' ? last : undefined
    return [{ port: typeof first === 'function' ? 0 : first, host, backlog, ...others }, callback]
  }
  const options = first as Readonly<Record<string, unknown>>
  const { _handle, fd, handle, port, reusePort } = options as Record<string, unknown>
  if (_handle || handle || (typeof fd === 'number' && fd >= 0) || reusePort === false) return undefined
  if (!('port' in options) || !isShared(Number(port ?? 0))) return undefined
  const given = OPTIONS.filter((name) => name in options).map((name) => [name, options[name]])
  return [{ ...Object.fromEntries(given), ...others } as ListenReusePortOptions, ...args.slice(1)]
}

/** Reads a backlog as Node does among positional arguments: undefined for a value that is not a number of 0 or more. */
function toNumber(value: unknown): number | undefined {
  if (typeof value === 'symbol' || typeof value === 'bigint') return undefined
  return Number(value) >= 0 ? Number(value) : undefined
}

function toSteering(name: SteeringName | undefined): SteeringOption | undefined {
  if (name === undefined) return undefined
  const policy = name === 'cpu' ? { cpu: true as const } : name === 'client' ? { by: 'client-address' as const } : name
  return { policy, optional: true }
}

function parseFallback(text: string | undefined): FallbackPolicy {
  const policy = POLICIES.find((candidate) => candidate === (text || 'error'))
  if (policy !== undefined) return policy
  throw new TypeError(`REUSEPORT_FALLBACK must be one of: ${POLICIES.join(', ')}. Received '${text}'`)
}
