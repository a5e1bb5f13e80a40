// What is told to subscribers of node:diagnostics_channel, and made up only where there is one.
import diagnostics from 'node:diagnostics_channel'
import type { SocketAddressInfo } from './address.js'
import type { DrainReport } from './drain-types.js'
import type { Transport } from './transport.js'
import type { BindableSocket, ListenableServer } from './types.js'

/** Message of `reuseport:listen`: a socket of the library's shares a port from now on. */
export interface ListenMessage extends SocketAddressInfo {
  readonly protocol: Transport
  readonly fd: number
}

/** Message of `reuseport:adopt`: a server or dgram socket has taken such a socket. */
export interface AdoptMessage extends ListenMessage {
  readonly target: ListenableServer | BindableSocket
}

/** Message of `reuseport:fallback`: Node serves instead, by its own `reusePort` or by a plain listen or bind. */
export interface FallbackMessage {
  readonly target: ListenableServer | BindableSocket
  readonly by: 'core' | 'exclusive'
  readonly reason: string
}

/** Message of `reuseport:drain`: a server or dgram socket has been drained. */
export interface DrainMessage {
  readonly target: ListenableServer | BindableSocket
  readonly report: DrainReport
}

/** @internal */
export interface Messages {
  readonly 'reuseport:listen': ListenMessage
  readonly 'reuseport:adopt': AdoptMessage
  readonly 'reuseport:fallback': FallbackMessage
  readonly 'reuseport:drain': DrainMessage
}

const CHANNELS = {
  'reuseport:listen': diagnostics.channel('reuseport:listen'),
  'reuseport:adopt': diagnostics.channel('reuseport:adopt'),
  'reuseport:fallback': diagnostics.channel('reuseport:fallback'),
  'reuseport:drain': diagnostics.channel('reuseport:drain'),
}

/** @internal @param make Nothing where it cannot be told after all. */
export function publish<Name extends keyof Messages>(name: Name, make: () => Messages[Name] | undefined): void {
  const channel = CHANNELS[name]
  if (!channel.hasSubscribers) return
  const message = make()
  if (message !== undefined) channel.publish(message)
}
