import { pause } from '../common/waiting.js'
import { acceptQueueOf } from '../native/accept-queue.js'
import { loadAddon } from '../native/addon.js'
import type { Kept } from './kept-socket.js'

/** ms between two looks, for handshakes that had begun, and at most. */
const LOOKS = 20
const QUIET = 100
const LONGEST = 2000

/**
 * Resolves when others have accepted all that waited in the queue, or late. New clients are not answered from now on: they
 * try again a second later, and come to another socket of the port where this one is closed by then.
 */
export async function emptyQueue({ fd, family }: Kept, isOver: () => boolean): Promise<void> {
  const state = loadAddon()
  if (state.loaded) state.addon.deferNewConnections(fd, family === 'IPv4' ? 4 : 6)
  for (let total = 0, quiet = 0; total < LONGEST && quiet < QUIET && !isOver(); total += LOOKS) {
    quiet = (acceptQueueOf(fd)?.waiting ?? 0) === 0 ? quiet + LOOKS : 0
    await pause(LOOKS)
  }
}
