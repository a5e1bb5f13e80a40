import { randomBytes } from 'node:crypto'

/** The length of the keys of `tls.Server`. */
const BYTES = 48
/** ms between rotations. A client whose ticket was sealed with old keys makes a full handshake. */
const LIFETIME = 12 * 3600 * 1000

/** The keys with which all workers seal TLS session tickets. They rotate. */
export class TicketKeys {
  #keys: string = newKeys()
  #timer: NodeJS.Timeout | undefined

  /** The current keys, in base64. */
  get keys(): string {
    return this.#keys
  }

  rotate(onChange: (keys: string) => void, lifetime: number = LIFETIME): void {
    this.#timer = setInterval(() => {
      this.#keys = newKeys()
      onChange(this.#keys)
    }, lifetime).unref()
  }

  end(): void {
    clearInterval(this.#timer)
  }
}

function newKeys(): string {
  return randomBytes(BYTES).toString('base64')
}
