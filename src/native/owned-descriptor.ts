import type { SocketAddressInfo } from '../common/address.js'
import type { SystemFailure } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { Addon } from './addon-contract.js'

/** A socket with its address, as subscribers of `reuseport:listen` are told. */
export interface DescribedSocket extends SocketAddressInfo {
  readonly protocol: Transport
  readonly fd: number
}

/** A descriptor of the addon's until it is released to somebody else or closed, each once. */
export class OwnedDescriptor {
  readonly addon: Addon
  readonly fd: number
  readonly family: 4 | 6
  #isOwned = true

  constructor(addon: Addon, fd: number, family: 4 | 6) {
    this.addon = addon
    this.fd = fd
    this.family = family
  }

  bind(address: string, port: number): SystemFailure | undefined {
    return this.addon.bind(this.fd, this.family, address, port)
  }

  localPort(): number | undefined {
    return this.describe('udp')?.port
  }

  /** Where it is bound; undefined where that cannot be told. */
  describe(protocol: Transport): DescribedSocket | undefined {
    const address = this.addon.localAddress(this.fd)
    return 'errno' in address ? undefined : { protocol, fd: this.fd, ...address }
  }

  /** Whether sockets of any user may bind the same address with SO_REUSEADDR. */
  setReuseAddress(on: boolean): SystemFailure | undefined {
    return this.addon.setReuseAddress(this.fd, on)
  }

  /** From now on somebody else closes it. */
  release(): void {
    if (!this.#isOwned) return
    this.#isOwned = false
    this.addon.release(this.fd)
  }

  close(): void {
    if (!this.#isOwned) return
    this.#isOwned = false
    this.addon.close(this.fd)
  }
}
