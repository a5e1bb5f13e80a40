import { getSystemErrorName } from 'node:util'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { inodeOf, type Kept } from './kept-socket.js'
import { SupervisorOptionError } from './option-values.js'

interface Given {
  readonly fd: number
  readonly name?: string | undefined
}

/** No descriptor, or none of a socket. */
const NO_SOCKET: readonly string[] = ['EBADF', 'ENOTSOCK']

/**
 * The listening TCP sockets of the option `sockets`, which another process has opened and passed to this one. Other
 * sockets are told and left alone: a unit of systemd may have them beside, such as UDP for HTTP/3.
 *
 * @throws SupervisorOptionError where `fd` is not a socket; Error without the addon.
 */
export function givenSockets(sockets: readonly Given[], warn: (message: string) => void): Kept[] {
  if (sockets.length === 0) return []
  const state = loadAddon()
  if (!state.loaded) throw new Error(`the option 'sockets' needs the native addon: ${state.reason}`)
  const { addon } = state
  return sockets.flatMap(({ fd, name }, index) => {
    const option = `sockets[${index}].fd`
    if (!Number.isInteger(fd) || fd < 0) throw new SupervisorOptionError(option, fd, 'a descriptor, 0 or more')
    const bound = addon.localAddress(fd)
    const why = 'errno' in bound ? getSystemErrorName(bound.errno) : undefined
    if (why !== undefined && NO_SOCKET.includes(why)) {
      throw new SupervisorOptionError(
        option,
        fd,
        `the descriptor of a listening TCP socket (${name ? `name: ${name}, ` : ''}error: ${why})`,
      )
    }
    if ('errno' in bound || !isListener(addon, fd)) {
      const which = name ? `${fd} (name: ${name})` : `${fd}`
      warn(`descriptor ${which} of the option 'sockets' is not a listening TCP socket, and is left alone`)
      return []
    }
    const { address, family, port } = bound
    const wish = { address, port, ipv6Only: false, options: '' }
    // The descriptor belongs to the caller, so `close` leaves it open.
    const place = { address, family, port }
    const socket = { fd, inode: inodeOf(fd), handle: undefined, isGiven: true, close: () => {} }
    return [{ id: `given:${index}`, wish, ...place, ...socket }]
  })
}

/** True also where the system does not tell. */
function isListener(addon: Addon, fd: number): boolean {
  const queue = addon.acceptQueue(fd)
  return typeof queue === 'number' || getSystemErrorName(queue.errno) === 'ENOSYS'
}
