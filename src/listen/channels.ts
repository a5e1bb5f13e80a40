// Messages for subscribers of node:diagnostics_channel about sockets and servers that listen.
import type { SocketAddressInfo } from '../common/address.js'
import { CHANNELS, type Publish, publisher } from '../common/channels.js'
import type { Transport } from '../common/transport.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'

/** Message of `reuseport:listen`: a socket that this library opened shares a port from now on. */
export interface ListenMessage extends SocketAddressInfo {
  readonly protocol: Transport
  readonly fd: number
}

/** Message of `reuseport:adopt`: a server or dgram socket has taken such a socket. */
export interface AdoptMessage extends ListenMessage {
  readonly target: ListenableServer | BindableSocket
}

/** Message of `reuseport:fallback`: Node serves the call, by its own `reusePort` or by a plain listen or bind. */
export interface FallbackMessage {
  readonly target: ListenableServer | BindableSocket
  readonly by: 'core' | 'exclusive'
  readonly reason: string
}

/** @internal */
export const publishListen: Publish<ListenMessage> = publisher(CHANNELS.listen)
/** @internal */
export const publishAdopt: Publish<AdoptMessage> = publisher(CHANNELS.adopt)
/** @internal */
export const publishFallback: Publish<FallbackMessage> = publisher(CHANNELS.fallback)
