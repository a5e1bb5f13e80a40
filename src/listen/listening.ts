import type { EventEmitter } from 'node:events'
import { type AbortSignalLike, toSignal } from '../common/abort-signal.js'
import { ServerNotRunningError, SocketNotRunningError } from '../common/errors.js'
import { assertObject } from '../common/validation.js'
import { Deadline } from '../common/waiting.js'
import { isClosed, refusesBind } from '../node/datagram-internals.js'
import { type BindableSocket, isDatagramSocket } from '../node/datagram-socket.js'
import { failureOf, isToListen } from '../node/failed-listen.js'
import { assertServer, type ListenableServer } from '../node/server.js'
import { refuseUnknownOptions } from '../options/option-names.js'

/** Options of `listening`. Never written to. */
export interface ListeningOptions {
  /** Ends the wait: the promise rejects with the signal's reason. The server stays as it is. */
  readonly signal?: AbortSignalLike | undefined
}

/**
 * Waits until a server listens, or a dgram socket is bound, by whichever call. Resolves with the server; at once where it
 * listens already. Rejects with its `'error'`, also where the last call of `listenReusePort` or `bindReusePort` has
 * failed before; with `ERR_SERVER_NOT_RUNNING` or `ERR_SOCKET_DGRAM_NOT_RUNNING` where it closes first. While it waits, an
 * `'error'` needs no other listener. Leaves no listener behind.
 *
 * ```js
 * const server = await listening(listenReusePort(http.createServer(), 8080))
 * ```
 *
 * Rejects with `ERR_INVALID_ARG_TYPE` and `ERR_REUSEPORT_UNKNOWN_OPTION` for wrong arguments.
 */
export async function listening<S extends ListenableServer | BindableSocket>(
  server: S,
  options: ListeningOptions = {},
): Promise<S> {
  const isDatagram = isDatagramSocket(server)
  if (!isDatagram) assertServer(server)
  assertObject('options', options)
  refuseUnknownOptions(options, ['signal'])
  const deadline = new Deadline(Number.POSITIVE_INFINITY, toSignal(options['signal']))
  deadline.assertNotAborted()
  if (isDatagram ? isBound(server) : (server as ListenableServer).listening) return server
  const failure = isDatagram && refusesBind(server) ? undefined : failureOf(server)
  if (failure !== undefined) throw failure.error
  if (isDatagram && isClosed(server)) throw new SocketNotRunningError()
  await firstEvent(server as unknown as EventEmitter, deadline, () =>
    isDatagram ? new SocketNotRunningError() : new ServerNotRunningError(),
  )
  return server
}

/** @throws the error that comes first, or `closed()` where the server closes first. */
async function firstEvent(emitter: EventEmitter, deadline: Deadline, closed: () => Error): Promise<void> {
  let stop = (): void => {}
  const event = new Promise<void>((resolve, reject) => {
    const onClose = (): void => {
      if (!isToListen(emitter)) reject(closed())
    }
    emitter.once('listening', resolve).once('error', reject).on('close', onClose)
    stop = () => void emitter.off('listening', resolve).off('error', reject).off('close', onClose)
  })
  try {
    await deadline.race(event)
  } finally {
    stop()
  }
}

/** A bound socket has a port, and `address()` throws for one that has no descriptor. */
function isBound(socket: BindableSocket): boolean {
  try {
    return (socket.address() as { readonly port: number }).port > 0
  } catch {
    return false
  }
}
