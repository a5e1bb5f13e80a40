import { addAbortListener } from 'node:events'
import process from 'node:process'
import type { AbortSignalLike } from '../common/abort-signal.js'
import { isClosed } from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'

/** Closes the socket when the signal aborts. @returns what ends this. */
export function closeOnAbort(socket: BindableSocket, signal: AbortSignalLike): () => void {
  const close = (): void => {
    if (!isClosed(socket)) socket.close()
  }
  if (signal.aborted) {
    process.nextTick(close)
    return () => {}
  }
  const aborting = addAbortListener(signal as AbortSignal, close)
  const stop = (): void => {
    socket.removeListener('close', stop)
    aborting[Symbol.dispose]()
  }
  socket.once('close', stop)
  return stop
}
