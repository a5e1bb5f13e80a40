import { getSystemErrorName } from 'node:util'
import { loadAddon } from '../native/addon.js'
import type { Kept } from './kept-socket.js'
import { SupervisorOptionError } from './options.js'

/** Sockets that whoever has started this process opened for it. @throws SupervisorOptionError for one that is none. */
export function givenSockets(sockets: readonly { readonly fd: number; readonly name?: string | undefined }[]): Kept[] {
  if (sockets.length === 0) return []
  const state = loadAddon()
  if (!state.loaded) throw new Error(`sockets of others need the native addon: ${state.reason}`)
  const { addon } = state
  return sockets.map(({ fd, name }, index) => {
    const option = `sockets[${index}].fd`
    if (!Number.isInteger(fd) || fd < 0) throw new SupervisorOptionError(option, fd, 'a descriptor')
    const bound = addon.localAddress(fd)
    if ('errno' in bound) {
      const why = getSystemErrorName(bound.errno)
      throw new SupervisorOptionError(
        option,
        fd,
        `a TCP socket that listens${name ? ` (${name})` : ''}; it is none: ${why}`,
      )
    }
    const { address, family, port } = bound
    const wish = { address, port, ipv6Only: false, options: '' }
    // It stays with whoever has it.
    return { id: `given:${index}`, wish, address, family, port, fd, handle: undefined, isGiven: true, close: () => {} }
  })
}
