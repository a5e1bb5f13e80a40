// Messages for subscribers of node:diagnostics_channel, in the process of the supervisor.
import { CHANNELS, type Publish, publisher } from '../common/channels.js'
import type { JoinInfo, WorkerInfo } from './events.js'

/** Message of `reuseport:join`: the worker accepts from the queue of another one, too. */
export interface JoinMessage extends JoinInfo {
  readonly worker: WorkerInfo
}

/** Message of `reuseport:part`: it accepts no more from there. */
export interface PartMessage extends JoinMessage {
  /** Connections that it has accepted from there in the meantime. */
  readonly accepted: number
}

/** @internal */
export const publishJoin: Publish<JoinMessage> = publisher(CHANNELS.join)
/** @internal */
export const publishPart: Publish<PartMessage> = publisher(CHANNELS.part)
