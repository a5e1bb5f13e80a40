import net from 'node:net'
import { promisify } from 'node:util'
import type { ListenableServer } from '../index.js'
import { closeOnceMore, isClosedForProgram } from '../node/withheld-close.js'

interface Closing {
  close(this: net.Server, ...args: unknown[]): net.Server
  /** Node 20 and later. */
  [Symbol.asyncDispose](this: net.Server): Promise<void>
}

/** Calls `tell` for each server when its socket has been closed: whoever hears of that may open one of the same port. */
export function onClose(tell: (server: ListenableServer) => void): void {
  const prototype = net.Server.prototype as unknown as Closing
  const { close, [Symbol.asyncDispose]: dispose } = prototype
  prototype.close = function (...args): net.Server {
    const server = this as unknown as ListenableServer
    if (closeOnceMore(server, args[0])) return this
    try {
      return Reflect.apply(close, this, args)
    } finally {
      tell(server)
    }
  }
  // Node disposes of a closed server without the event 'close'.
  prototype[Symbol.asyncDispose] = async function (): Promise<void> {
    if (isClosedForProgram(this as unknown as ListenableServer)) await promisify(this.close).call(this)
    else await Reflect.apply(dispose, this, [])
  }
}
