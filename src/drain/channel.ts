import { CHANNELS, type Publish, publisher } from '../common/channels.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import type { DrainReport } from './drain-types.js'

/** Message of the channel `reuseport:drain`: the drain of a server or dgram socket has succeeded. */
export interface DrainMessage {
  readonly target: ListenableServer | BindableSocket
  readonly report: DrainReport
}

/** @internal */
export const publishDrain: Publish<DrainMessage> = publisher(CHANNELS.drain)
