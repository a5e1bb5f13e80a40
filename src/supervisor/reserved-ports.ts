import process from 'node:process'
import { loadAddon } from '../native/addon.js'

/** How many calls with port 0 a program may make that all workers then make with one port. */
const CALLS = 8

/**
 * Ports for the calls with port 0, the same for all workers: bound and never listened on, so that nobody else gets them
 * before the first worker, nor between two.
 */
export class ReservedPorts {
  readonly ports: readonly number[]
  readonly #descriptors: readonly number[]

  constructor() {
    const ports: number[] = []
    const descriptors: number[] = []
    // Where the kernel chooses between bound sockets, one that does not listen must not be among them.
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
