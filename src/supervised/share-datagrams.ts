import dgram from 'node:dgram'
import process from 'node:process'
import { type BindReusePortOptions, bindReusePort, type FallbackPolicy } from '../index.js'
import { WORKER_NAME } from '../supervisor/protocol.js'
import { isClusterWorker } from './nested.js'

type Bind = (this: dgram.Socket, ...args: unknown[]) => dgram.Socket

/** From now on `socket.bind` of UDP sockets shares its port, as by `bindReusePort`. */
export function shareDatagrams(isShared: (port: number) => boolean, fallback: FallbackPolicy): void {
  const prototype = dgram.Socket.prototype as unknown as { bind: Bind }
  const { bind } = prototype
  /** Sockets for which `bindReusePort` runs: a `socket.bind` that it calls goes to Node. */
  const binding = new WeakSet<dgram.Socket>()
  const isCluster = isClusterWorker()
  const isSupervised = process.env[WORKER_NAME] !== undefined
  // The workers of a cluster share UDP sockets already, but not with those of another primary.
  const isOurs = (port: number): boolean => isShared(port) && (!isCluster || (isSupervised && port !== 0))
  prototype.bind = function (...args): dgram.Socket {
    const options = binding.has(this) ? undefined : toOptions(args)
    if (options === undefined || !isOurs(Number(options.port ?? 0))) return Reflect.apply(bind, this, args)
    const last = args.at(-1)
    binding.add(this)
    try {
      const call = [this, { ...options, fallback }, ...(typeof last === 'function' ? [last] : [])]
      return Reflect.apply(bindReusePort, undefined, call) as dgram.Socket
    } finally {
      binding.delete(this)
    }
  }
}

/** Undefined where the call names no port to share, or a socket of its own: also the port that `send` and `connect` bind. */
function toOptions([first, second]: readonly unknown[]): BindReusePortOptions | undefined {
  if (typeof first !== 'object' || first === null) {
    const port = typeof first === 'function' ? 0 : (first ?? 0)
    return isPort(port) ? { port, address: toAddress(second) } : undefined
  }
  const { address, exclusive, fd, port, recvStart } = first as Readonly<Record<string, unknown>>
  if (exclusive || typeof recvStart === 'function' || (typeof fd === 'number' && fd > 0)) return undefined
  const given = port ?? 0
  return isPort(given) ? { port: given, address: toAddress(address) } : undefined
}

/** Node takes the lowest 16 bits of any other number. */
function isPort(value: unknown): value is number | string {
  return (typeof value === 'number' || typeof value === 'string') && Number(value) >= 0 && Number(value) <= 65_535
}

/** The lookup refuses what is no string, as in Node. */
function toAddress(value: unknown): string | undefined {
  return value && typeof value !== 'function' ? (value as string) : undefined
}
