// A drain that the program did not ask for closes the program's server. The program does not know: it closes the server
// itself when it hears its signal, and expects its callback without an error and one event 'close'. So the event that the
// drain causes is withheld until then.
import process from 'node:process'
import { hearEvents } from './emit-hook.js'
import type { ListenableServer } from './server.js'

interface Withheld {
  /** Whether the drain calls `close` at this moment. */
  isOfDrain: boolean
  /** Whether Node has emitted the event. */
  hasEnded: boolean
  onEnded: () => void
  restore(): void
}

const NAME = Symbol.for('reuseport.withheld-close')

/** One map for all copies of this file: the preload and the program's library are two. */
const shared = globalThis as { [NAME]?: WeakMap<ListenableServer, Withheld> }
shared[NAME] ??= new WeakMap()
const all = shared[NAME]

/** From now on only `onceClosed` hears that the server has closed, until the program closes it, or listens again. */
export function withholdClose(server: ListenableServer): void {
  if (all.has(server)) return
  const stop = hearEvents(server, (event) => {
    const withheld = all.get(server)
    if (event === 'listening') forget(server)
    if (event !== 'close' || withheld === undefined) return undefined
    withheld.hasEnded = true
    withheld.onEnded()
    return 'withheld'
  })
  all.set(server, { isOfDrain: false, hasEnded: false, onEnded: () => {}, restore: stop })
}

/** Calls `tell` when the server has closed, whether or not the event is withheld. @returns what ends this. */
export function onceClosed(server: ListenableServer, tell: () => void): () => void {
  const withheld = all.get(server)
  if (withheld !== undefined) withheld.onEnded = tell
  const stop = hearEvents(server, (event) => {
    if (event !== 'close') return undefined
    stop()
    tell()
    return undefined
  })
  return stop
}

/** Runs `close`, which closes the server for a drain. */
export function closeForDrain(server: ListenableServer, close: () => void): void {
  const withheld = all.get(server)
  if (withheld !== undefined) withheld.isOfDrain = true
  try {
    close()
  } finally {
    if (withheld !== undefined) withheld.isOfDrain = false
  }
}

/** Whether a drain has closed the server, and the program has not. */
export function isClosedForProgram(server: ListenableServer): boolean {
  return all.has(server) && !server.listening
}

/**
 * The program (or a drain) calls `close`. Where a drain has closed the server, this call succeeds: the callback and the
 * listeners of 'close' are called when Node would call them. A later call fails as with Node.
 *
 * @returns whether that was done, and Node's own `close` has nothing to do.
 */
export function closeOnceMore(server: ListenableServer, callback: unknown): boolean {
  if (all.get(server)?.isOfDrain !== false) return false
  const isClosed = isClosedForProgram(server)
  if (isClosed && typeof callback === 'function') server.once('close', callback as () => void)
  releaseClose(server)
  return isClosed
}

/** The event 'close' is the program's again. Where the event was withheld, the program gets it now. */
export function releaseClose(server: ListenableServer): void {
  const withheld = forget(server)
  if (withheld?.hasEnded === true) process.nextTick(() => server.emit('close'))
}

function forget(server: ListenableServer): Withheld | undefined {
  const withheld = all.get(server)
  all.delete(server)
  withheld?.restore()
  return withheld
}
