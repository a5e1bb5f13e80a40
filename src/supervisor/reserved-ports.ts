import process from 'node:process'
import { loadAddon } from '../native/addon.js'
import { type ReservedPort, reservePort } from '../native/reserved-port.js'

/** Calls with port 0 that get the same port in all workers. Each later call gets a port of the kernel's choice. */
const CALLS = 8

/**
 * Ports for the calls with port 0, the same in all workers. The supervisor binds them and never listens on them, so
 * that no other program gets a port before the first worker binds it, or between two workers.
 */
export class ReservedPorts {
  readonly ports: readonly number[]
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
    this.ports = all.map(({ port }) => port)
    this.#reserved = all
  }

  close(): void {
    for (const reserved of this.#reserved) reserved.close()
  }
}
