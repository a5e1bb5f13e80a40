import type { SocketAddressInfo } from '../common/address.js'
import type { SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { Addon } from './addon-contract.js'

/** A socket with its address, as in the messages of `reuseport:listen`. */
export interface DescribedSocket extends SocketAddressInfo {
  readonly protocol: Transport
  readonly fd: number
}

/**
 * A descriptor that the addon owns until it is closed or released to another owner. Only the first call counts. Where other
 * code has closed the number, it may belong to another descriptor by now: then neither call has an effect.
 */
export class OwnedDescriptor {
  readonly addon: Addon
  readonly fd: number
  readonly family: 4 | 6
  readonly #claim: number
  #isOwned = true

  constructor(addon: Addon, fd: number, family: 4 | 6) {
    this.addon = addon
    this.fd = fd
    this.family = family
    this.#claim = addon.claimOf(fd)
  }

  /** Whether the number is still this descriptor. */
  isOpen(): boolean {
    return this.#isOwned && this.addon.isOwned(this.fd, this.#claim)
  }

  bind(address: string, port: number): SystemFailure | undefined {
    return this.addon.bind(this.fd, this.family, address, port)
  }

  localPort(): number | undefined {
    return this.describe('udp')?.port
  }

  /** The address that the socket is bound to. Undefined where the address cannot be read. */
  describe(protocol: Transport): DescribedSocket | undefined {
    const address = this.addon.localAddress(this.fd)
    return 'errno' in address ? undefined : { protocol, fd: this.fd, ...address }
  }

  /** Sets whether sockets of any user may bind the same address with SO_REUSEADDR. */
  setReuseAddress(on: boolean): SystemFailure | undefined {
    return this.addon.setReuseAddress(this.fd, on)
  }

  /** The addon gives up the descriptor: from now on its new owner closes it. */
  release(): void {
    if (!this.#isOwned) return
    this.#isOwned = false
    this.addon.release(this.fd, this.#claim)
  }

  close(): void {
    if (!this.#isOwned) return
    this.#isOwned = false
    this.addon.close(this.fd, this.#claim)
  }
}
