// Asks the program of a worker how it is, over a connection that the supervisor hands to that worker: no other worker can
// answer in its place, and the program needs no port for it.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectedPair, connectedPair } from '../node/connected-pair.js'
import { statusOf } from './health-request.js'
import type { FromWorker, Speaks } from './protocol.js'
import type { RunningWorker } from './running-worker.js'

/** ms for one answer. */
const ATTEMPT = 5000
/** ms for the program to end the connection, once it has answered. */
const GOODBYE = 500

type Asked = Pick<RunningWorker, 'isConnected' | 'send'>

export class Health {
  readonly #waiting = new Map<number, { readonly worker: Asked; readonly answer: (speaks: Speaks) => void }>()
  #asks = 0

  heard(worker: Asked, { ask, speaks }: FromWorker & { readonly type: 'health' }): void {
    const waiting = this.#waiting.get(ask)
    if (waiting?.worker === worker) waiting.answer(speaks)
  }

  /**
   * Asks once. A response of 200 to 399 is that of a healthy program.
   *
   * @param signal Nobody waits for the answer any more.
   * @returns what was wrong, as the rest of a sentence that begins with the request; undefined where nothing was.
   */
  async ask(worker: Asked, path: string, signal: AbortSignal): Promise<string | undefined> {
    if (!worker.isConnected) return 'cannot be asked for: the program has closed its IPC channel'
    const attempt = new AbortController()
    const end = (): void => attempt.abort()
    const timer = setTimeout(end, ATTEMPT)
    signal.addEventListener('abort', end, { once: true, signal: attempt.signal })
    if (signal.aborted) end()
    try {
      const pair = await connectedPair(attempt.signal)
      const broken = untilClosed(pair.client, attempt.signal)
      const speaks = await this.#give(worker, pair, attempt.signal)
      if (speaks === 'nothing') return 'cannot be asked for: no server of the worker itself listens'
      const asked = statusOf(pair.client, speaks, path)
      asked.catch(() => {})
      const status = await Promise.race([asked, broken])
      await goodbye(pair.client)
      return status >= 200 && status < 400 ? undefined : `was answered by ${status}`
    } catch (error) {
      if (attempt.signal.aborted) return `was not answered within ${ATTEMPT / 1000} s`
      return `failed (${(error as Error).message})`
    } finally {
      clearTimeout(timer)
      end()
    }
  }

  async #give(worker: Asked, { other }: ConnectedPair, signal: AbortSignal): Promise<Speaks> {
    const ask = this.#asks++
    let isOpen = true
    // While this process has a duplicate, the client does not see that the worker has closed the connection.
    const close = (): void => {
      if (isOpen) other.close()
      isOpen = false
    }
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(ask, { worker, answer: resolve })
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        worker.send({ type: 'health', ask }, other, close)
      })
    } finally {
      this.#waiting.delete(ask)
      close()
    }
  }
}

/**
 * A request on a connection that is closed may have neither a response nor an error: one that is answered by 101, or that
 * begins when the server has closed the connection already.
 *
 * @returns what rejects when the connection is closed, or at the signal.
 */
function untilClosed(client: Socket, signal: AbortSignal): Promise<never> {
  const closed = new Promise<never>((_resolve, reject) => {
    // A response whose head came at last is heard of first.
    client.once('close', () => setImmediate(() => reject(new Error('the connection was closed'))))
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  closed.catch(() => {})
  return closed
}

/** A program whose client goes away in the middle of its response may say so in its log. */
async function goodbye(client: Socket): Promise<void> {
  if (client.destroyed) return
  await Promise.race([once(client, 'close').catch(() => {}), sleep(GOODBYE, undefined, { ref: false })])
}
