import process from 'node:process'
import { loadAddon } from '../native/addon.js'
import type { Addon } from '../native/addon-contract.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { type ReservedPort, reservePort } from '../native/reserved-port.js'

/** Calls with port 0 that get the same port in all workers. Each later call gets a port of the kernel's choice. */
const CALLS = 8

/**
 * Ports for the calls with port 0, the same in all workers. The supervisor binds them and never listens on them, so
 * that no other program gets a port before the first worker binds it, or between two workers.
 */
export class ReservedPorts {
  readonly ports: readonly number[]
  readonly datagramPorts: readonly number[]
  readonly #reserved: readonly ReservedPort[]

  constructor() {
    const all: ReservedPort[] = []
    // Only on Linux: a kernel that chooses among all bound sockets would send connections to one that does not listen.
    const state = process.platform === 'linux' ? loadAddon() : undefined
    for (let call = 0; state?.loaded === true && call < CALLS; call++) {
      const { addon } = state
      const reserved =
        reservePort(addon, 'tcp', { family: 6, address: '::' }) ??
        reservePort(addon, 'tcp', { family: 4, address: '0.0.0.0' })
      if (reserved === undefined) break
      all.push(reserved)
    }
    const datagrams = state?.loaded === true ? all.flatMap(() => reserveForDatagrams(state.addon) ?? []) : []
    this.ports = all.map(({ port }) => port)
    this.datagramPorts = datagrams.map(({ port }) => port)
    this.#reserved = [...all, ...datagrams]
  }

  close(): void {
    for (const reserved of this.#reserved) reserved.close()
  }
}

/** An address to which nobody sends. */
const UNUSED = '127.255.255.254'

/**
 * A UDP socket at the workers' own address would be a member of their group, and get datagrams. One at this address keeps
 * the port from sockets of other users and programs that are bound to every address.
 */
function reserveForDatagrams(addon: Addon): ReservedPort | undefined {
  const everywhere =
    reservePort(addon, 'udp', { family: 6, address: '::' }) ??
    reservePort(addon, 'udp', { family: 4, address: '0.0.0.0' })
  if (everywhere === undefined) return undefined
  const { port } = everywhere
  const fd = addon.openSocket({ transport: 'udp', family: 4, ipv6Only: false, multipath: false })
  const descriptor = typeof fd === 'number' ? new OwnedDescriptor(addon, fd, 4) : undefined
  const failure = descriptor?.bind(UNUSED, port)
  everywhere.close()
  if (descriptor !== undefined && failure === undefined) return { port, close: () => descriptor.close() }
  descriptor?.close()
  return undefined
}
