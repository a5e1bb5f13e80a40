// The handle of a UDP socket that a supervisor keeps. Several processes have the kernel's socket one after the other, and
// for a moment together, so what one has set there another meets.
import { getSystemErrorName } from 'node:util'
import type { OpenableHandle } from './datagram-internals.js'

type Errno = number
type Call = (...args: unknown[]) => Errno

/** Membership, and what the kernel says where the socket has it already. */
const MEMBERSHIPS = [
  ['addMembership', 'dropMembership', 'EADDRINUSE'],
  ['addSourceSpecificMembership', 'dropSourceSpecificMembership', 'EADDRNOTAVAIL'],
] as const

const handedOver = new WeakSet<object>()

/**
 * A membership that the socket has from a predecessor counts as new: `addMembership` succeeds once. When the socket has been
 * handed over, the memberships are the successor's: to drop one changes nothing.
 *
 * @param inherited Whether the socket may have any. Otherwise only drops change.
 */
export function keepMemberships(handle: OpenableHandle, inherited: boolean): void {
  const own = new Set<string>()
  for (const [add, drop, taken] of MEMBERSHIPS) {
    override(handle, add, (call, args) => {
      const errno = call(...args)
      const key = JSON.stringify([add, args])
      const isInherited = inherited && errno < 0 && getSystemErrorName(errno) === taken && !own.has(key)
      if (errno !== 0 && !isInherited) return errno
      own.add(key)
      return 0
    })
    override(handle, drop, (call, args) => {
      if (handedOver.has(handle)) return 0
      own.delete(JSON.stringify([add, args]))
      return call(...args)
    })
  }
}

const IPPROTO_IPV6 = 41
const IPV6_NAMES = { setTTL: 16, setMulticastTTL: 18, setMulticastLoopback: 19 } as const

/** libuv learns the family of a handle when it binds it, and would set these options of a bound udp6 socket as those of IPv4. */
export function setByIpv6(handle: OpenableHandle, set: (level: number, name: number, value: number) => Errno): void {
  for (const [method, name] of Object.entries(IPV6_NAMES))
    override(handle, method, (_call, [value]) => set(IPPROTO_IPV6, name, Number(value)))
}

/** Calls `tell` when the handle has been closed. */
export function onHandleClosed(handle: object, tell: () => void): void {
  override(handle, 'close', (call, args) => {
    const result = call(...args)
    tell()
    return result
  })
}

/** From now on this process reads nothing from the socket. What it has read, it can answer. */
export function handOverHandle(handle: object): void {
  handedOver.add(handle)
  ;(Reflect.get(handle, 'recvStop') as Call | undefined)?.call(handle)
}

function override(handle: object, name: string, by: (call: Call, args: unknown[]) => Errno): void {
  const method: unknown = Reflect.get(handle, name)
  if (typeof method !== 'function') return
  const value = (...args: unknown[]): Errno => by((...given) => Reflect.apply(method, handle, given) as Errno, args)
  Object.defineProperty(handle, name, { value, configurable: true, writable: true })
}
