import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { bindReusePort } from '../../src/index.js'

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

/** Sends from a port of its own and waits for each answer before the next; gives the answers. */
export async function exchange(port: number, messages: readonly string[], host = '127.0.0.1'): Promise<string[]> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  const answers: string[] = []
  try {
    for (const message of messages) {
      const answered = once(socket, 'message')
      socket.send(message, port, host)
      const [answer] = await answered
      answers.push(String(answer))
    }
  } finally {
    socket.close()
  }
  return answers
}

/** A bound socket that closes itself when it goes out of scope. */
export async function bind(
  socket: Socket,
  ...args: readonly unknown[]
): Promise<{ readonly port: number } & Disposable> {
  const error = await bound(socket, () => Reflect.apply(bindReusePort, undefined, [socket, ...args]))
  if (error !== undefined) throw error
  return { port: socket.address().port, [Symbol.dispose]: () => void socket.close() }
}

/** A UDP port without SO_REUSEPORT on it, which nobody else can have; given back when it goes out of scope. */
export async function occupyUdpPort(host: string): Promise<{ port: number } & AsyncDisposable> {
  const socket = createSocket('udp4')
  await bound(socket, () => socket.bind(0, host))
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

/** A UDP port that nobody has at the moment. */
export async function freeUdpPort(): Promise<number> {
  await using occupied = await occupyUdpPort('0.0.0.0')
  return occupied.port
}
