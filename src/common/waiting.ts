// Waiting: for a time, for the next turn of the event loop, or until a deadline or an AbortSignal ends the wait.
import type { AbortSignalLike } from './abort-signal.js'

/** Resolves after this many ms. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** Resolves after the event loop has served everything that is ready now, so waiting connections have been accepted. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** ms: the longest delay that setTimeout takes. */
const LONGEST = 0x7fffffff

export class Deadline {
  /** ms. `Infinity` means no end. */
  readonly total: number
  readonly #end: number
  readonly #signal: AbortSignalLike | undefined

  constructor(total: number, signal: AbortSignalLike | undefined) {
    this.total = total
    this.#end = performance.now() + total
    this.#signal = signal
  }

  /** ms until the deadline, 0 once it has passed. */
  left(): number {
    return Math.max(0, this.#end - performance.now())
  }

  /** @throws the reason of the signal, once it has aborted. */
  assertNotAborted(): void {
    const signal = this.#signal as AbortSignal | undefined
    if (signal?.aborted === true) throw signal.reason ?? new DOMException('This operation was aborted', 'AbortError')
  }

  /**
   * Resolves with the value of the promise, or with 'late' if the deadline passes first.
   *
   * @throws the reason of the signal, where it aborts first.
   */
  async race<T>(promise: Promise<T>): Promise<T | 'late'> {
    this.assertNotAborted()
    let timer: NodeJS.Timeout | undefined
    let onAbort: (() => void) | undefined
    const late = new Promise<'late'>((resolve) => {
      const left = this.left()
      if (left <= LONGEST) timer = setTimeout(resolve, Math.ceil(left), 'late')
    })
    const aborted = new Promise<'aborted'>((resolve) => {
      onAbort = () => resolve('aborted')
      this.#signal?.addEventListener('abort', onAbort, { once: true })
    })
    try {
      const outcome = await Promise.race([promise, late, aborted])
      this.assertNotAborted()
      return outcome as T | 'late'
    } finally {
      clearTimeout(timer)
      if (onAbort !== undefined) this.#signal?.removeEventListener('abort', onAbort)
    }
  }
}
