// The supervisor asks the program how it is, over a connection that it hands to this worker.
import { closeHandle } from '../common/close-handle.js'
import type { ListenableServer } from '../index.js'
import { inContextOf } from '../node/guest-listener.js'
import { enterConnection, isConnection } from '../node/incoming.js'
import { protocolOf } from '../node/server-kind.js'
import type { Link } from './link.js'
import type { Servers } from './servers.js'

/** Gives the connection to the first server that listens and takes requests, or else to the first that listens. */
export function serveHealth(
  ask: number,
  handle: unknown,
  servers: Pick<Servers, 'listening'>,
  link: Pick<Link, 'send'>,
): void {
  const listening = servers.listening().map(({ server }) => server)
  const server = listening.find(takesRequests) ?? listening[0]
  const isGiven =
    server !== undefined && isConnection(handle) && inContextOf(server, () => enterConnection(server, handle))
  if (!isGiven) closeHandle(handle)
  link.send({ type: 'health', ask, speaks: isGiven ? protocolOf(server) : 'nothing' })
}

function takesRequests(server: ListenableServer): boolean {
  const { listenerCount } = server as { listenerCount?(event: string): number }
  return typeof listenerCount === 'function' && Reflect.apply(listenerCount, server, ['request']) > 0
}
