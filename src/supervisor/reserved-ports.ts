import process from 'node:process'
import { loadAddon } from '../native/addon.js'

/** Calls with port 0 that get the same port in all workers. Each later call gets a port of the kernel's choice. */
const CALLS = 8

/**
 * Ports for the calls with port 0, the same in all workers. The supervisor binds them and never listens on them, so
 * that no other program gets a port before the first worker binds it, or between two workers.
 */
export class ReservedPorts {
  readonly ports: readonly number[]
  readonly #descriptors: readonly number[]

  constructor() {
    const ports: number[] = []
    const descriptors: number[] = []
    // Only on Linux: a kernel that chooses among all bound sockets would send connections to one that does not listen.
    const state = process.platform === 'linux' ? loadAddon() : undefined
    for (let call = 0; state?.loaded === true && call < CALLS; call++) {
      const { addon } = state
      const reserved = reserve(addon, 6, '::') ?? reserve(addon, 4, '0.0.0.0')
      if (reserved === undefined) break
      ports.push(reserved.port)
      descriptors.push(reserved.fd)
    }
    this.ports = ports
    this.#descriptors = descriptors
  }

  close(): void {
    const state = loadAddon()
    if (state.loaded) for (const fd of this.#descriptors) state.addon.close(fd)
  }
}

type Loaded = Extract<ReturnType<typeof loadAddon>, { readonly loaded: true }>['addon']

function reserve(addon: Loaded, family: 4 | 6, address: string): { fd: number; port: number } | undefined {
  const fd = addon.openSocket({ transport: 'tcp', family, ipv6Only: false, multipath: false })
  if (typeof fd !== 'number') return undefined
  const bound = addon.bind(fd, family, address, 0) ?? addon.localAddress(fd)
  if (!('errno' in bound)) return { fd, port: bound.port }
  addon.close(fd)
  return undefined
}
