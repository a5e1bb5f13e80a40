import { ReusePortUnsupportedError, type SystemFailure } from '../common/errors.js'
import type { OwnedDescriptor } from '../native/owned-descriptor.js'
import {
  type Claim,
  creationOptions,
  hasHandle,
  hasState,
  newHandle,
  type OpenableHandle,
} from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'

export interface Binding {
  readonly address: string
  readonly port: number
  /** The socket is bound already: a supervisor has kept it. */
  readonly isKept: boolean
  /** Marks the socket as being bound until it gets its descriptor. */
  readonly claimed: Claim
  /** Runs after bind and before 'listening'. */
  readonly afterBind: () => void
  /** Runs before 'listening', in which the program may join multicast groups. */
  readonly onHandle: (handle: OpenableHandle) => void
}

/**
 * Binds a descriptor and gives it to a socket, which then emits 'listening'. A handle of the socket's own kind binds
 * the descriptor. `bind({ fd })` would adopt a bound one, but libuv learns the family only from binding: without it,
 * `setTTL` and the multicast settings of a udp6 socket would go to IPv4. libuv sets SO_REUSEADDR when it opens a
 * descriptor, and any user could then bind the port as well: the option is reset before bind.
 *
 * Where a step fails before the socket has the descriptor, the descriptor is closed or still belongs to the caller.
 *
 * @throws AfterBindError for what `afterBind` throws. What a listener of 'listening' throws is thrown unchanged.
 */
export function adoptDatagram(
  socket: BindableSocket,
  descriptor: OwnedDescriptor,
  binding: Binding,
): SystemFailure | ReusePortUnsupportedError | undefined {
  const handle = newHandle(socket)
  if (handle === undefined) {
    // Bun opens a descriptor some time after the call. By then its number may belong to another descriptor.
    if (hasState(socket)) return unsupported('their handles cannot open one')
    return adoptByNumber(socket, descriptor, binding)
  }
  const notOpened = handle.open(descriptor.fd)
  if (notOpened !== 0) {
    handle.close()
    return { errno: notOpened, syscall: 'open' }
  }
  descriptor.release()
  try {
    const notTakenBack = descriptor.setReuseAddress(creationOptions(socket).reuseAddr)
    if (notTakenBack !== undefined) return notTakenBack
    const { address, isKept, port } = binding
    const bind = descriptor.family === 6 ? 'bind6' : 'bind'
    const notBound = isKept ? 0 : handle[bind](address, port, 0)
    if (notBound !== 0) return { errno: notBound, syscall: 'bind' }
    callAfterBind(binding)
    binding.onHandle(handle)
    binding.claimed.giveBack()
    socket.bind(handle)
    return undefined
  } finally {
    if (!hasHandle(socket, handle)) handle.close()
  }
}

/** For runtimes whose dgram sockets have no state of Node's: the socket adopts the bound descriptor by its number. */
function adoptByNumber(
  socket: BindableSocket,
  descriptor: OwnedDescriptor,
  binding: Binding,
): SystemFailure | ReusePortUnsupportedError | undefined {
  const notBound = descriptor.bind(binding.address, binding.port)
  if (notBound !== undefined) return notBound
  callAfterBind(binding)
  const port = descriptor.localPort()
  let reason = 'their bind() ignores it'
  let adopted = false
  let notTakenBack: SystemFailure | undefined
  const onAdopted = (): void => {
    if (adopted) return
    adopted = true
    descriptor.release()
    notTakenBack = descriptor.setReuseAddress(creationOptions(socket).reuseAddr)
  }
  binding.claimed.giveBack()
  socket.prependOnceListener('listening', onAdopted)
  try {
    socket.bind({ fd: descriptor.fd, exclusive: true })
    if (isBoundTo(socket, port)) onAdopted()
  } catch (error) {
    if (adopted) throw error
    reason = error instanceof Error ? error.message : String(error)
  }
  if (notTakenBack !== undefined) socket.close()
  if (adopted) return notTakenBack
  socket.removeListener('listening', onAdopted)
  return unsupported(reason)
}

function unsupported(reason: string): ReusePortUnsupportedError {
  return new ReusePortUnsupportedError(`the dgram sockets of this runtime do not accept a descriptor (${reason})`)
}

function isBoundTo(socket: BindableSocket, port: number | undefined): boolean {
  const address = socket.address()
  return typeof address === 'object' && address !== null && 'port' in address && address.port === port
}

/** Wraps what `afterBind` throws, to distinguish it from what a listener throws. */
export class AfterBindError extends Error {}

function callAfterBind({ afterBind }: Binding): void {
  try {
    afterBind()
  } catch (cause) {
    throw new AfterBindError('afterBind', { cause })
  }
}
