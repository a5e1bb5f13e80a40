import { randomBytes } from 'node:crypto'

/** What `tls.Server` takes. */
const BYTES = 48
/** ms. A session that is older than the keys begins with a full handshake. */
const LIFETIME = 12 * 3600 * 1000

/** The keys by which the workers seal TLS session tickets, new ones after a while. */
export class TicketKeys {
  #keys: string = newKeys()
  #timer: NodeJS.Timeout | undefined

  /** In base64. */
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
