import { type Publish, publisher } from './channels.js'
import type { BindableSocket } from './datagram-socket.js'
import type { DrainReport } from './drain-types.js'
import type { ListenableServer } from './server.js'

/** Message of `reuseport:drain`: a server or dgram socket has been drained. */
export interface DrainMessage {
  readonly target: ListenableServer | BindableSocket
  readonly report: DrainReport
}

/** @internal */
export const publishDrain: Publish<DrainMessage> = publisher('reuseport:drain')
