import type { Server } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { closed, type Listen } from './listeners.js'

/** What a caller of listen can see of it, in order, with what differs from run to run (free ports) masked. */
export type Observation = readonly unknown[]

/** Calls `listen` and notes everything that happens until it has listened, failed, thrown or closed. */
export async function observe(server: Server, listen: Listen, args: readonly unknown[]): Promise<Observation> {
  const seen: unknown[] = []
  const settled = new Promise<void>((resolve) => {
    for (const event of ['listening', 'close']) {
      server.on(event, () => {
        seen.push(event)
        resolve()
      })
    }
    server.on('error', (error) => {
      seen.push(['error', describeError(error)])
      resolve()
    })
  })

  let threw = false
  try {
    seen.push(['returned the server', listen(server, ...args.map((arg) => track(arg, seen))) === server])
  } catch (error) {
    threw = true
    seen.push(['threw', describeError(error)])
  }
  seen.push(['on return', describeState(server)])
  process.nextTick(() => seen.push('tick'))
  if (!threw) await settled
  await nextTurn()
  seen.push(['in the end', describeState(server), eventCounts(server)])
  if (server.listening) await closed(server)
  return seen
}

function track(arg: unknown, seen: unknown[]): unknown {
  if (typeof arg !== 'function') return arg
  return function callback(this: unknown): void {
    seen.push(['callback', this === undefined ? 'no this' : (this as object).constructor.name])
  }
}

function describeState(server: Server): unknown {
  const { _connectionKey: key } = server as unknown as { _connectionKey?: string }
  const address = server.address()
  const where = typeof address === 'object' && address !== null ? { ...address, port: 'a port' } : address
  return { listening: server.listening, where, key }
}

function eventCounts(server: Server): unknown {
  return ['listening', 'error', 'close'].map((event) => server.listenerCount(event))
}

/** Everything of an error that a program can depend on. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  // What EADDRINUSE gains here comes after what Node gives it.
  const gained = ['holder', 'reason', 'hint']
  const isTaken = Reflect.get(error, 'code') === 'EADDRINUSE'
  const keys = Object.keys(error).filter((key) => !(isTaken && gained.includes(key)))
  const own = Object.fromEntries(keys.map((key) => [key, Reflect.get(error, key)]))
  return {
    type: Object.getPrototypeOf(error)?.name,
    name: error.name,
    message: error.message,
    keys,
    own,
  }
}
