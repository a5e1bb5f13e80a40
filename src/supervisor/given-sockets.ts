import { getSystemErrorName } from 'node:util'
import { loadAddon } from '../native/addon.js'
import type { Kept } from './kept-socket.js'
import { SupervisorOptionError } from './options.js'

/**
 * The sockets of the option `sockets`, which another process has opened and passed to this one.
 *
 * @throws SupervisorOptionError where `fd` is not a socket with an address and port; Error without the addon.
 */
export function givenSockets(sockets: readonly { readonly fd: number; readonly name?: string | undefined }[]): Kept[] {
  if (sockets.length === 0) return []
  const state = loadAddon()
  if (!state.loaded) throw new Error(`the option 'sockets' needs the native addon: ${state.reason}`)
  const { addon } = state
  return sockets.map(({ fd, name }, index) => {
    const option = `sockets[${index}].fd`
    if (!Number.isInteger(fd) || fd < 0) throw new SupervisorOptionError(option, fd, 'a descriptor, 0 or more')
    const bound = addon.localAddress(fd)
    if ('errno' in bound) {
      const why = getSystemErrorName(bound.errno)
      throw new SupervisorOptionError(
        option,
        fd,
        `the descriptor of a listening TCP socket (${name ? `name: ${name}, ` : ''}error: ${why})`,
      )
    }
    const { address, family, port } = bound
    const wish = { address, port, ipv6Only: false, options: '' }
    // The descriptor belongs to the caller, so `close` leaves it open.
    return { id: `given:${index}`, wish, address, family, port, fd, handle: undefined, isGiven: true, close: () => {} }
  })
}
