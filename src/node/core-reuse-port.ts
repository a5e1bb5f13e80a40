import net from 'node:net'

// As it is now: the preload puts ours in its place.
const { listen } = net.Server.prototype

/**
 * Whether Node's own `reusePort` shares a port here: tried, with two servers on a port of the kernel's choice that are
 * closed in the same turn. A Node that does not know the option ignores it, and the second server does not listen.
 */
export function coreSharesPorts(): boolean {
  const first = net.createServer().on('error', ignore)
  const second = net.createServer().on('error', ignore)
  try {
    // Exclusive, so that a cluster's primary is not asked by a Node that does not know the option.
    Reflect.apply(listen, first, [{ port: 0, reusePort: true, exclusive: true }])
    const address = first.address()
    if (address === null || typeof address === 'string') return false
    Reflect.apply(listen, second, [{ port: address.port, reusePort: true, exclusive: true }])
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
