import type { BindAddress } from '../common/address.js'
import { InvalidArgumentValueError, type SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import { type Admission, admit } from '../group/member-limit.js'
import type { Addon } from '../native/addon-contract.js'
import type { UnboundSocket } from '../options/configuration-types.js'
import { type Configuration, canBeSkipped, configure, type OpenSocket, optionError } from '../options/configure.js'
import { ConfigurableSocket } from '../options/unbound-socket.js'

export interface UnboundRequest {
  readonly transport: Transport
  readonly ipv6Only: boolean
  readonly configuration: Configuration
}

export interface ListenerRequest extends UnboundRequest {
  readonly transport: 'tcp'
  readonly port: number
  readonly backlog: number
}

/**
 * Opens a socket that will share its port and sets the options that come before bind. Returns its descriptor, or the
 * system call that failed. On failure the socket is closed.
 *
 * @throws the error of an option, or the value that `onSocket` throws.
 */
export function openUnbound(addon: Addon, request: UnboundRequest, family: 4 | 6): number | SystemFailure {
  const fd = create(addon, request, family)
  if (typeof fd !== 'number') return fd
  closingUnlessDone(addon, fd, () => {
    const socket = { addon, fd, family }
    const { configuration, transport } = request
    configure(socket, configuration, 'before-bind')
    if (configuration.onSocket !== undefined) callOnSocket(socket, transport, configuration.onSocket)
    return undefined
  })
  return fd
}

/**
 * Opens a listening socket that shares its port. Returns its descriptor, or the system call that failed. On failure the
 * socket is closed.
 *
 * @throws the error of an option, the value that `onSocket` throws, and, with `maxMembers`, the errors of `admit`.
 */
export function openListener(addon: Addon, request: ListenerRequest, where: BindAddress): number | SystemFailure {
  const { configuration, port } = request
  const admission = admit(addon, { protocol: 'tcp', port, ...where }, configuration.maxMembers)
  try {
    const fd = openUnbound(addon, request, where.family)
    if (typeof fd !== 'number') return fd
    return listen({ addon, fd, family: where.family }, request, where.address, admission) ?? fd
  } finally {
    admission.end()
  }
}

function listen(
  socket: OpenSocket,
  request: ListenerRequest,
  address: string,
  admission: Admission,
): SystemFailure | undefined {
  const { addon, fd, family } = socket
  const { backlog, configuration, port } = request
  return closingUnlessDone(addon, fd, () => {
    const notBound = addon.bind(fd, family, address, port)
    if (notBound !== undefined) return notBound
    configure(socket, configuration, 'before-listen')
    const notListening = addon.listen(fd, backlog)
    if (notListening !== undefined) return notListening
    admission.confirm()
    configure(socket, configuration, 'after-listen')
    return undefined
  })
}

/** Closes the descriptor where `work` throws or returns a failure. */
function closingUnlessDone(addon: Addon, fd: number, work: () => SystemFailure | undefined): SystemFailure | undefined {
  let isDone = false
  try {
    const failure = work()
    isDone = failure === undefined
    return failure
  } finally {
    if (!isDone) addon.close(fd)
  }
}

/** MPTCP is the only option that must be chosen when the socket is created. */
function create(addon: Addon, request: UnboundRequest, family: 4 | 6): number | SystemFailure {
  const { transport, configuration } = request
  const base = { transport, family, ipv6Only: request.ipv6Only && family === 6 }
  const wanted = configuration.settings.find(({ row, value }) => row.stage === 'creation' && value === 1)
  if (wanted === undefined) return addon.openSocket({ ...base, multipath: false })

  const opened = addon.openSocket({ ...base, multipath: true })
  if (typeof opened === 'number') return opened
  const error = optionError(wanted.row, wanted.given, family, opened)
  // Plain TCP would have failed too: no descriptor is left, or there is no IPv6.
  if (!canBeSkipped(error)) return opened
  if (wanted.optional) return addon.openSocket({ ...base, multipath: false })
  throw error
}

function callOnSocket(
  socket: OpenSocket,
  transport: Transport,
  onSocket: NonNullable<Configuration['onSocket']>,
): void {
  const configurable = new ConfigurableSocket(socket, transport)
  try {
    const returned: unknown = onSocket(configurable as unknown as UnboundSocket)
    if (typeof returned === 'object' && returned !== null && 'then' in returned) {
      throw new InvalidArgumentValueError(
        'options.onSocket',
        onSocket,
        'must not be asynchronous: bind does not wait for a promise',
      )
    }
  } finally {
    configurable.expire()
  }
}
