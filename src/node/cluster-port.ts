// How the workers of a cluster agree on the port of a call with port 0. Any primary remembers the first data that its workers
// send with a query for a handle, and gives it to each later worker with the same query: Node shares the keys of TLS session
// tickets so. The query here asks for a UDP socket, because that is the one kind which the primary hands out as it is
// whatever its schedulingPolicy. Node counts the calls of each worker, and forgets a call when its handle closes.
import process from 'node:process'
import { isPort } from '../common/validation.js'
import { isDisconnecting, serverGetter } from './cluster.js'
import type { ListenableServer } from './server.js'

export interface Agreement {
  readonly port: number
  /** This worker does not listen on the port any more. Where no worker does, the next call may get another port. */
  end(): void
}

interface UdpHandle {
  close(): void
  getsockname?(out: { port?: number }): number
  connect?(address: string, port: number): number
  disconnect?(): number
}

const LOOPBACK = '127.0.0.1'

/**
 * Agrees on the port of a call with the other workers.
 *
 * @param call What else the call asks for. The first call of each worker with this text has one port, the second another one.
 * @param proposed The port where no worker has proposed one before.
 * @param then Gets the agreement; undefined where the primary cannot help.
 * @param giveUp Called instead where the channel to the primary closes first: Node's `listen` does not listen then, either.
 * @returns false where this process is no worker of cluster: then there is nothing to agree on.
 */
export function agreeOnPort(
  call: string,
  proposed: number,
  then: (agreement: Agreement | undefined) => void,
  giveUp: () => void,
): boolean {
  const getServer = serverGetter()
  if (getServer === undefined) return false
  let port: unknown
  waitForPrimary(giveUp)
  const asking = {
    // Node would send what it emits, as the address of the UDP socket.
    once: (): void => {},
    _getServerData: () => ({ port: proposed }),
    _setServerData(data: { readonly port?: unknown } | null | undefined): void {
      port = data?.port
    },
  }
  // Not a number: the primary takes no descriptor from it, and it is a part of the key.
  const fd = `reuseport:${call}`
  getServer(asking, { address: LOOPBACK, port: 0, addressType: 'udp4', fd, flags: 0 }, (_error, received) => {
    const handle = received as UdpHandle | null
    if (handle !== null) giveUpPort(handle)
    const isWaiting = stopWaiting(giveUp)
    // Cluster has closed the servers of this worker already, and would not close another one.
    if (isWaiting && isDisconnecting()) {
      handle?.close()
      giveUp()
      return
    }
    if (handle !== null && isWaiting && typeof port === 'number' && isPort(port)) {
      then({ port, end: () => handle.close() })
      return
    }
    handle?.close()
    if (isWaiting) then(undefined)
  })
  return true
}

/** What is to be done for each call that waits for its answer, if the primary ends or the worker disconnects. */
const waiting = new Set<() => void>()

/** One listener for all, because Node warns of many. */
function onDisconnect(): void {
  for (const giveUp of waiting) giveUp()
  waiting.clear()
}

function waitForPrimary(giveUp: () => void): void {
  if (waiting.size === 0) process.once('disconnect', onDisconnect)
  waiting.add(giveUp)
}

/** @returns whether it was waiting. */
function stopWaiting(giveUp: () => void): boolean {
  const isWaiting = waiting.delete(giveUp)
  if (waiting.size === 0) process.off('disconnect', onDisconnect)
  return isWaiting
}

/** A port of the kernel's choice is free again when the socket that has it dissolves a connection: connect(2), AF_UNSPEC. */
function giveUpPort(handle: UdpHandle): void {
  const own: { port?: number } = {}
  if (handle.getsockname?.(own) !== 0 || !own.port) return
  if (handle.connect?.(LOOPBACK, own.port) === 0) handle.disconnect?.()
}

/** Ends the agreement when the handle of the server closes, as Node forgets a handle of the primary; at once without one. */
export function endWithServer(server: ListenableServer, agreement: Agreement): void {
  const { _handle: handle } = server as { readonly _handle?: { close(...args: unknown[]): unknown } | null }
  if (!handle) {
    agreement.end()
    return
  }
  const { close } = handle
  handle.close = function (...args: unknown[]): unknown {
    handle.close = close
    agreement.end()
    return Reflect.apply(close, this, args)
  }
}
