import process from 'node:process'
import { type BindAddress, chooseAddress } from '../common/address.js'

/** An `address` of null means that the name has none. Node then uses the unspecified address. */
type Found = (error: Error | null, address: BindAddress | null) => void

/** Node 22 and later consider all addresses of a name; Node 20 uses the first. */
const LOOKS_AT_ALL = Number.parseInt(process.versions.node, 10) >= 22

/** Looks a host up as `server.listen` does: through the current `dns.lookup`, which a program may have replaced. */
export function lookupHost(host: string, found: Found): void {
  // Node, too, loads node:dns at the first lookup.
  const dns = process.getBuiltinModule('node:dns')
  if (!LOOKS_AT_ALL) {
    dns.lookup(host, (error, address, family) => found(error, toBindAddress({ address, family })))
    return
  }
  dns.lookup(host, { all: true }, (error, addresses) => {
    if (error) found(error, null)
    else found(null, toBindAddress(chooseAddress(addresses)))
  })
}

function toBindAddress(entry: { address: string; family: number } | undefined): BindAddress | null {
  return entry?.address ? { address: entry.address, family: entry.family === 6 ? 6 : 4 } : null
}
