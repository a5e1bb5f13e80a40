import type { SystemFailure } from '../common/errors.js'
import { supervision, toWish } from '../listen/supervision.js'
import type { Addon } from '../native/addon-contract.js'
import { duplicateOf } from '../native/duplicate-for.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { creationOptions, hasHandle, type OpenableHandle } from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { keepMemberships, setByIpv6 } from '../node/kept-datagram.js'
import type { Configuration } from '../options/configure.js'

interface Request {
  readonly address: string
  readonly family: 4 | 6
  readonly port: number
  readonly configuration: Configuration
}

/** What the supervisor has for one call of `bind`. */
export interface Supervised {
  /** Bound already. */
  readonly kept: OwnedDescriptor | undefined
  readonly port: number
  onHandle(handle: OpenableHandle): void
  /** The call has ended, one way or the other. */
  done(): void
}

/** @returns undefined where there is no supervisor; a failure where its socket cannot be used. */
export function askSupervisor(
  addon: Addon,
  socket: BindableSocket,
  request: Request,
): Supervised | SystemFailure | undefined {
  const supervisor = supervision()
  if (supervisor?.bound === undefined) return undefined
  const { address, family, port, configuration } = request
  const { ipv6Only, reuseAddr } = creationOptions(socket)
  const where = { address, family }
  const wish = toWish({ where, port, ipv6Only: ipv6Only && family === 6, configuration, datagram: { reuseAddr } })
  const taken = supervisor.take(wish)
  const fd = taken === undefined ? undefined : duplicateOf(addon, taken.fd, taken.inode)
  if (typeof fd === 'object') {
    taken?.done(false)
    return fd
  }
  let own: OpenableHandle | undefined
  const kept = fd === undefined ? undefined : new OwnedDescriptor(addon, fd, family)
  taken?.done(kept !== undefined)
  return {
    kept,
    port: kept === undefined ? supervisor.portFor(wish) : port,
    onHandle: (handle) => {
      own = handle
      prepare(handle, kept)
    },
    done: () => {
      // Where it failed, or a listener of 'listening' has closed the socket, nobody has it.
      if (own !== undefined && hasHandle(socket, own)) supervisor.bound?.(socket, wish)
      else supervisor.dropped?.(wish)
    },
  }
}

function prepare(handle: OpenableHandle, kept: OwnedDescriptor | undefined): void {
  keepMemberships(handle, kept !== undefined)
  if (kept?.family !== 6) return
  const { addon, fd } = kept
  setByIpv6(handle, (level, name, value) => addon.setRawOption(fd, level, name, value)?.errno ?? 0)
}
