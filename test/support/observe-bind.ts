import type { Socket } from 'node:dgram'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describeError, type Observation } from './observe.js'

export type Bind = (socket: Socket, ...args: unknown[]) => unknown

/** Calls `bind` and notes everything that happens until the socket is bound, has failed, thrown or closed. */
export async function observeBind(socket: Socket, bind: Bind, args: readonly unknown[]): Promise<Observation> {
  const seen: unknown[] = []
  const settled = new Promise<void>((resolve) => {
    for (const event of ['listening', 'close'] as const) {
      socket.on(event, () => {
        seen.push([event, describeState(socket)])
        resolve()
      })
    }
    socket.on('error', (error) => {
      seen.push(['error', describeError(error)])
      resolve()
    })
  })

  let threw = false
  try {
    seen.push(['returned the socket', bind(socket, ...args.map((arg) => track(arg, seen))) === socket])
    seen.push(['a second bind', codeOf(() => bind(socket, 0))])
  } catch (error) {
    threw = true
    seen.push(['threw', describeError(error)])
  }
  seen.push(['on return', describeState(socket)])
  process.nextTick(() => seen.push('tick'))
  if (!threw) await settled
  await nextTurn()
  seen.push(['in the end', describeState(socket), socket.listenerCount('listening')])
  if (codeOf(() => socket.close()) === undefined) await nextTurn()
  return seen
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

function track(arg: unknown, seen: unknown[]): unknown {
  if (typeof arg !== 'function') return arg
  return function callback(this: unknown): void {
    seen.push(['callback', this === undefined ? 'no this' : (this as object).constructor.name])
  }
}

/** Node keeps the descriptor of a bind that failed, which then has no port; that is the same as none here. */
function describeState(socket: Socket): unknown {
  try {
    const address = socket.address()
    return address.port === 0 ? 'EBADF' : { ...address, port: 'a port' }
  } catch (error) {
    return (error as { code: string }).code
  }
}
