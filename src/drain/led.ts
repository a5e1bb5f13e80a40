import type { OwnedDescriptor } from '../native/owned-descriptor.js'
import type { FromLeader } from './leader-messages.js'

/** A listener that leaves, by a descriptor of the leader's. */
export interface Led {
  readonly descriptor: OwnedDescriptor
  readonly inode: number
  /** ms in which it is ready, at most. */
  readonly patience: number
  isReady: boolean
  tell(order: FromLeader): void
  /** Ends what connects it to the leader. */
  end(): void
}
