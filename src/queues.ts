export { listenKept } from './supervised/kept-listen.js'
export { QueueKeeper } from './supervisor/queue-keeper.js'
export type {
  JoinedQueue,
  QueueKeeperEvents,
  QueueKeeperOptions,
  QueueKeeperStatus,
} from './supervisor/queue-keeper-types.js'
