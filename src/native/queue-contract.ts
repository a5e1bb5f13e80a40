import type { SystemFailure } from '../common/errors.js'

/** The exports of the addon about accept queues (src-native/addon/queues.cc). */
export interface QueueCalls {
  /** The accept queue of a listener, as one number: the connections that wait, plus 2^32 times the limit (21 bits). */
  acceptQueue(fd: number): number | SystemFailure
  /**
   * Accepts a connection of a listener that does not block, close-on-exec. The addon owns it as in `openSocket`. EAGAIN where
   * none waits. accept(2)
   */
  accept(fd: number): number | SystemFailure
  /**
   * Starts a thread that tells which armed queues stand: those from which nothing was accepted for their patience although
   * connections wait. Their descriptors are read from the descriptor that is returned, as int32 in the order of this
   * machine. The addon owns it as in `openSocket`, and its number names the watch. ENOSYS. Linux: epoll(7).
   */
  openQueueWatch(): number | SystemFailure
  /**
   * Arms a queue, which is told at most once from now on. Or disarms it, which has to come before its descriptor is closed.
   * EBADF for a watch that is none, ENOENT for a queue that was never armed.
   *
   * @param patience 1 to 1000 ms; 0 disarms.
   */
  setArmed(watch: number, fd: number, patience: number): undefined | SystemFailure
  /** Ends the thread; the descriptor stays open, and its end is read. Does nothing for a watch that is none. */
  endQueueWatch(watch: number): undefined
}
