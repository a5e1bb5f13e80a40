import net from 'node:net'
import process from 'node:process'

/**
 * Whether Node's own `reusePort` shares a port here: tried, with two servers on a port of the kernel's choice that are
 * closed in the same turn. Node 20 ignores the option (and would ask a cluster's primary instead), so it is not tried.
 */
export function coreSharesPorts(): boolean {
  if (Number.parseInt(process.versions.node, 10) < 22) return false
  const first = net.createServer().on('error', ignore)
  const second = net.createServer().on('error', ignore)
  try {
    first.listen({ port: 0, reusePort: true })
    const address = first.address()
    if (address === null || typeof address === 'string') return false
    second.listen({ port: address.port, reusePort: true })
    return second.listening
  } catch {
    // Node's permission model throws.
    return false
  } finally {
    first.close()
    second.close()
  }
}

function ignore(): void {}
