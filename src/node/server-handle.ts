// Handles of listening TCP sockets, which Node makes by `net._createServerHandle`.
import net from 'node:net'
import type { BindAddress } from '../common/address.js'

export interface Handle {
  readonly fd: number
  /** @returns 0 or a negative error. */
  listen(backlog: number): number
  /** @returns 0 or a negative error; writes the address into `name`. */
  getsockname(name: { port?: number }): number
  close(): void
}

/** @returns a handle, or a negative error. */
type CreateServerHandle = (
  address: string | null,
  port: number | null,
  addressType: 4 | 6 | null,
  fd?: number,
  flags?: number,
) => Handle | number

export interface NetInternals {
  readonly _createServerHandle?: CreateServerHandle
}

/** libuv's flags of uv_tcp_bind(). */
const IPV6_ONLY = 1
const REUSE_PORT = 2

/** The class of handles for TCP, which Node shows nowhere: that of the first handle, and the function that made it. */
let Tcp: (new (type: typeof SERVER) => Handle & { open(fd: number): number }) | undefined
let maker: CreateServerHandle | undefined
const SERVER = 1

/**
 * Makes a handle of a TCP socket. Node takes four system calls to find out what kind of descriptor a number is, so only
 * the first handle is made by Node. A program may replace Node's function.
 *
 * @returns a handle, or a negative error.
 */
export function openHandle(createServerHandle: CreateServerHandle, fd: number): Handle | number {
  if (Tcp === undefined || createServerHandle !== maker) {
    const handle = createServerHandle(null, null, null, fd)
    const { constructor: found } = handle as object
    Tcp = found.name === 'TCP' ? (found as typeof Tcp) : undefined
    maker = createServerHandle
    return handle
  }
  const handle = new Tcp(SERVER)
  const errno = handle.open(fd)
  if (errno === 0) return handle
  handle.close()
  return errno
}

let isKnown: boolean | undefined

/**
 * Binds a socket that shares its port by Node's own means, without the addon. Tried out before the first: a Node
 * without `reusePort` (before 22.12) ignores the flag.
 *
 * @returns a handle, or a negative error. Undefined where Node does not share ports.
 */
export function bindHandle(where: BindAddress, port: number, ipv6Only: boolean): Handle | number | undefined {
  const { _createServerHandle: create } = net as NetInternals
  if (create === undefined) return undefined
  isKnown ??= sharesPorts(create)
  if (!isKnown) return undefined
  // Without a zone libuv takes a link-local address for one of any interface.
  if (where.address.includes('%')) return undefined
  const flags = ipv6Only && where.family === 6 ? REUSE_PORT | IPV6_ONLY : REUSE_PORT
  return create(where.address, port, where.family, undefined, flags)
}

/** Listens. A `server.listen` that is given the handle then does not call listen(2) once more. @returns 0 or a negative error. */
export function listenOnce(handle: Handle, backlog: number): number {
  const errno = handle.listen(backlog)
  if (errno === 0) Object.defineProperty(handle, 'listen', { value: listensAlready, configurable: true })
  return errno
}

function listensAlready(this: Handle): number {
  Reflect.deleteProperty(this, 'listen')
  return 0
}

/**
 * Whether Node knows the flag, and acts on it. Two sockets with SO_REUSEADDR can be bound to one port as long as neither listens. libuv
 * keeps back that a port is taken until the handle is asked for its name.
 */
function sharesPorts(create: CreateServerHandle): boolean {
  const first = create('127.0.0.1', 0, 4, undefined, REUSE_PORT)
  if (typeof first === 'number') return false
  const name: { port?: number } = {}
  const isBound = first.listen(1) === 0 && first.getsockname(name) === 0
  const second = isBound && create('127.0.0.1', name.port ?? 0, 4, undefined, REUSE_PORT)
  // Deno says so only at listen.
  const isShared = typeof second === 'object' && second.getsockname({}) === 0 && second.listen(1) === 0
  first.close()
  if (typeof second === 'object') second.close()
  return isShared
}
