import { ReusePortUnsupportedError, type SystemFailure } from '../common/errors.js'
import type { OwnedDescriptor } from '../native/owned-descriptor.js'
import { type Claim, creationOptions, hasHandle, hasState, newHandle } from '../node/datagram-internals.js'
import type { BindableSocket } from '../node/datagram-socket.js'

export interface Binding {
  readonly address: string
  readonly port: number
  /** The socket's, until it gets its descriptor. */
  readonly claimed: Claim
  /** Runs between bind and 'listening'. */
  readonly afterBind: () => void
}

/**
 * Binds a descriptor and gives it to a socket, which then emits 'listening'. A handle of the socket's own kind binds it,
 * rather than `bind({ fd })` adopt it bound, because libuv learns the family only from binding: without it `setTTL` and
 * the multicast settings of a udp6 socket would go to IPv4. Opening a descriptor, libuv sets SO_REUSEADDR, with which
 * any user could bind the port as well: that is taken back before it is bound.
 *
 * Where it fails before the socket has it, the descriptor is closed or still the caller's.
 *
 * @throws AfterBindError for what `afterBind` throws; what a listener of 'listening' throws is thrown as it is.
 */
export function adoptDatagram(
  socket: BindableSocket,
  descriptor: OwnedDescriptor,
  binding: Binding,
): SystemFailure | ReusePortUnsupportedError | undefined {
  const handle = newHandle(socket)
  if (handle === undefined) {
    // Bun opens a descriptor some time after the call, when it may be closed and mean another one.
    if (hasState(socket)) return unsupported('their handles open none')
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
    const { address, port } = binding
    const notBound = descriptor.family === 6 ? handle.bind6(address, port, 0) : handle.bind(address, port, 0)
    if (notBound !== 0) return { errno: notBound, syscall: 'bind' }
    callAfterBind(binding)
    binding.claimed.giveBack()
    socket.bind(handle)
    return undefined
  } finally {
    if (!hasHandle(socket, handle)) handle.close()
  }
}

/** For runtimes whose handles are not Node's. */
function adoptByNumber(
  socket: BindableSocket,
  descriptor: OwnedDescriptor,
  binding: Binding,
): SystemFailure | ReusePortUnsupportedError | undefined {
  const notBound = descriptor.bind(binding.address, binding.port)
  if (notBound !== undefined) return notBound
  callAfterBind(binding)
  const port = descriptor.localPort()
  let reason = 'they ignore it'
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
  return new ReusePortUnsupportedError(`the dgram sockets of this runtime take no descriptor (${reason})`)
}

function isBoundTo(socket: BindableSocket, port: number | undefined): boolean {
  const address = socket.address()
  return typeof address === 'object' && address !== null && 'port' in address && address.port === port
}

/** Tells what `afterBind` throws from what a listener throws. */
export class AfterBindError extends Error {}

function callAfterBind({ afterBind }: Binding): void {
  try {
    afterBind()
  } catch (cause) {
    throw new AfterBindError('afterBind', { cause })
  }
}
