// The internals of Node's dgram sockets, behind the 'state symbol': whether a socket is being bound, its lookup and its
// handle. Where the symbol is missing (another runtime, a later Node), the documented `bind({ fd, exclusive: true })`
// serves (adopt-datagram.ts).
import { EventEmitter } from 'node:events'
import process from 'node:process'
import { ReusePortUnsupportedError } from '../common/errors.js'
import type { BindableSocket } from './datagram-socket.js'

type Errno = number
type Lookup = (address: string, found: (error: Error | null, address: string, family: number) => void) => void

interface Handle {
  readonly fd: number
  readonly lookup?: Lookup
  connect?: unknown
  close(): void
}

export interface OpenableHandle extends Handle {
  open(fd: number): Errno
  bind(address: string, port: number, flags: number): Errno
  bind6(address: string, port: number, flags: number): Errno
}

const UNBOUND = 0
const BINDING = 1

interface State {
  handle: Handle | null
  bindState: number
  readonly ipv6Only?: unknown
  readonly reuseAddr?: unknown
  reusePort?: unknown
}

function stateOf(socket: BindableSocket): State | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')
  const state = symbol === undefined ? undefined : Reflect.get(socket, symbol)
  return typeof state === 'object' && state !== null && 'handle' in state && 'bindState' in state ? state : undefined
}

export function hasState(socket: BindableSocket): boolean {
  return stateOf(socket) !== undefined
}

/** Whether `socket.bind` throws, because the socket is closed, bound or being bound. */
export function refusesBind(socket: BindableSocket): boolean {
  const state = stateOf(socket)
  return state !== undefined && (state.handle === null || state.handle === undefined || state.bindState !== UNBOUND)
}

export function isClosed(socket: BindableSocket): boolean {
  const state = stateOf(socket)
  return state !== undefined && !state.handle
}

/** The descriptor of a bound socket. */
export function datagramDescriptor(socket: BindableSocket): number | undefined {
  const fd = stateOf(socket)?.handle?.fd
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}

/** The handle of a socket that is open. */
export function datagramHandle(socket: BindableSocket): object | undefined {
  return stateOf(socket)?.handle ?? undefined
}

export function hasHandle(socket: BindableSocket, handle: OpenableHandle): boolean {
  return stateOf(socket)?.handle === handle
}

/** The options of `dgram.createSocket` that matter to binding. */
export function creationOptions(socket: BindableSocket): { readonly ipv6Only: boolean; readonly reuseAddr: boolean } {
  const state = stateOf(socket)
  return { ipv6Only: Boolean(state?.ipv6Only), reuseAddr: Boolean(state?.reuseAddr) }
}

/** Sets what `dgram.createSocket({ reusePort: true })` sets. @returns an error where this runtime lacks the option. */
export function shareByCore(socket: BindableSocket): ReusePortUnsupportedError | undefined {
  const state = stateOf(socket)
  if (state === undefined || !('reusePort' in state)) {
    return new ReusePortUnsupportedError(
      'the native addon is missing, and dgram of this runtime has no reusePort option',
    )
  }
  state.reusePort = true
  return undefined
}

/** Marks a socket as being bound. Until `giveBack`, another `bind` throws and `send` waits, as during Node's lookup. */
export interface Claim {
  giveBack(): void
}

export function claim(socket: BindableSocket): Claim {
  const state = stateOf(socket)
  if (state !== undefined) state.bindState = BINDING
  return {
    giveBack: () => {
      if (state !== undefined) state.bindState = UNBOUND
    },
  }
}

/** Looks an address up with the socket's own lookup. Does not call `found` if the socket closes in the meantime. */
export function lookupFor(
  socket: BindableSocket,
  address: string,
  family: 4 | 6,
  found: (error: Error | null, address: string) => void,
): void {
  const ifOpen = (error: Error | null, resolved: string): void => {
    if (!isClosed(socket)) found(error, resolved)
  }
  const handle = stateOf(socket)?.handle
  if (typeof handle?.lookup === 'function') handle.lookup(address, ifOpen)
  else process.getBuiltinModule('node:dns').lookup(address, family, ifOpen)
}

/** Registers a callback of `bind`, which an earlier error removes. @returns a function that removes the callback. */
export function onceBound(socket: BindableSocket, callback: () => void): () => void {
  const drop = (): void => {
    socket.removeListener(EventEmitter.errorMonitor, drop)
    socket.removeListener('listening', onListening)
  }
  const onListening = (): void => {
    drop()
    Reflect.apply(callback, socket, [])
  }
  socket.on(EventEmitter.errorMonitor, drop)
  socket.on('listening', onListening)
  return drop
}

/** Another handle of the socket's kind. It gets the `connect` of udp6, which Node does not copy to a new handle. */
export function newHandle(socket: BindableSocket): OpenableHandle | undefined {
  const handle = stateOf(socket)?.handle
  if (!handle || !['open', 'bind', 'bind6'].every((method) => method in handle)) return undefined
  const Handle = handle.constructor as new () => OpenableHandle
  const another = new Handle()
  if (Object.hasOwn(handle, 'connect')) another.connect = handle.connect
  return another
}
