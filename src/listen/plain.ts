// The usual call: no option of the socket, no supervisor. Where Node can share a port itself it binds the socket: nobody
// looks at the socket between the steps, and Node need not find out what kind of descriptor it is given.
import { type BindAddress, UNSPECIFIED_IPV4, UNSPECIFIED_IPV6 } from '../common/address.js'
import type { Addon } from '../native/addon-contract.js'
import { adoptHandle } from '../node/adopt.js'
import type { ListenableServer } from '../node/server.js'
import { bindHandle, type Handle, listenOnce } from '../node/server-handle.js'
import { NO_CONFIGURATION } from '../options/configure.js'
import { publishAdopt, publishListen } from './channels.js'
import { describe, failureAt, type SocketRequest } from './socket.js'
import { supervision } from './supervision.js'

export interface PlainSocket {
  readonly handle: Handle
  readonly bound: BindAddress
}

/** @returns a listening socket, or Node's error. Undefined where the addon has to open it. */
export function openPlain(addon: Addon, request: SocketRequest): PlainSocket | Error | undefined {
  if (request.configuration !== NO_CONFIGURATION || supervision() !== undefined) return undefined
  const { where, port, backlog, ipv6Only } = request
  let bound = where ?? UNSPECIFIED_IPV6
  let handle = bindHandle(bound, port, ipv6Only)
  if (typeof handle === 'number' && where === undefined) {
    bound = UNSPECIFIED_IPV4
    handle = bindHandle(bound, port, ipv6Only)
  }
  if (handle === undefined) return undefined
  const errno = typeof handle === 'number' ? handle : listenOnce(handle, backlog)
  if (typeof handle === 'object') {
    if (errno === 0) return { handle, bound }
    handle.close()
  }
  return failureAt(addon, request, bound, { errno, syscall: 'listen' })
}

/** Gives the socket to the server, unless a subscriber of the channel has closed the server or made it listen elsewhere. */
export function adoptPlain(
  server: ListenableServer,
  { handle, bound }: PlainSocket,
  { addon, request, isLatest }: { addon: Addon; request: SocketRequest; isLatest: () => boolean },
): void {
  const { where, port, backlog } = request
  publishListen(() => describe(addon, handle.fd))
  if (!isLatest()) {
    handle.close()
    return
  }
  adoptHandle(server, handle, { host: where?.address ?? null, ...bound, port, backlog })
  publishAdopt(() => {
    const message = describe(addon, handle.fd)
    return message && { ...message, target: server }
  })
}
