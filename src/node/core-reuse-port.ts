import net from 'node:net'

// Read when this module loads, because the preload (register.ts) replaces `listen` later.
const { listen } = net.Server.prototype

/**
 * Whether Node's own `reusePort` shares a port here. It is tried out: two servers listen on a port that the kernel
 * chooses, and close in the same turn. A Node that does not know the option ignores it, and the second server fails.
 */
export function coreSharesPorts(): boolean {
  const first = net.createServer().on('error', ignore)
  const second = net.createServer().on('error', ignore)
  try {
    // Without `exclusive`, a cluster worker whose Node does not know `reusePort` would ask the primary.
    Reflect.apply(listen, first, [{ port: 0, reusePort: true, exclusive: true }])
    const address = first.address()
    if (address === null || typeof address === 'string') return false
    Reflect.apply(listen, second, [{ port: address.port, reusePort: true, exclusive: true }])
    return second.listening
  } catch {
    // Node's permission model throws where it denies the network.
    return false
  } finally {
    first.close()
    second.close()
  }
}

function ignore(): void {}
