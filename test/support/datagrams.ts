import type { Socket } from 'node:dgram'

/** Calls what binds the socket and waits for it: undefined where it is bound, otherwise the error. */
export function bound(socket: Socket, bind: () => unknown): Promise<unknown> {
  return new Promise((resolve) => {
    const settle = (error?: unknown): void => {
      socket.off('listening', settle)
      socket.off('error', settle)
      resolve(error)
    }
    socket.once('listening', settle)
    socket.once('error', settle)
    bind()
  })
}
