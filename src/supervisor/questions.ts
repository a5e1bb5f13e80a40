import type { AnyKept } from './kept-socket.js'
import { type FromWorker, localOf, type ToWorker } from './protocol.js'

/** ms for the answer of a process. */
export const ANSWERS = 1000
/** ms for the answer to `vitals`. */
const VITALS = 200
/** Questions are numbered up to here, and from 0 again. */
const MOST = 1 << 30

/** How a worker is, by its own word. */
export interface OwnVitals {
  /** ms from the question to the answer. */
  readonly delay: number
  readonly open: number
  readonly cpu: number | undefined
  readonly memory: number
  readonly accepted?: number | undefined
}

type Send = (message: ToWorker, handle?: object) => void

/** @internal What a supervisor asks one of its workers, and waits for the answer. */
export class Questions {
  readonly #send: Send
  readonly #isOpen: () => boolean
  readonly #isThread: boolean
  /** Answers to the messages `release`, in the order of the messages. */
  readonly #releases: ((ids: readonly string[]) => void)[] = []
  /** Answers to the messages `give-back`, by socket. */
  readonly #returns = new Map<string, (isTaken: boolean) => void>()
  /** The question about vitals that the worker has not answered, and those that wait for the answer. */
  #asked: { readonly ask: number; readonly at: number } | undefined
  readonly #waiting = new Set<(vitals: OwnVitals | undefined) => void>()
  #ask = 0

  /** @param isOpen Whether the worker can hear. */
  constructor(send: Send, isOpen: () => boolean, isThread: boolean) {
    this.#send = send
    this.#isOpen = isOpen
    this.#isThread = isThread
  }

  /** ms since the question about vitals that the worker has not answered; undefined where it has answered. */
  get silence(): number | undefined {
    return this.#asked === undefined ? undefined : performance.now() - this.#asked.at
  }

  /** A worker that has not answered is not asked anew. @returns undefined where no answer comes in time. */
  async vitals(): Promise<OwnVitals | undefined> {
    if (!this.#isOpen()) return undefined
    let timer: NodeJS.Timeout | undefined
    let done: (vitals: OwnVitals | undefined) => void = () => {}
    const vitals = await new Promise<OwnVitals | undefined>((resolve) => {
      done = resolve
      this.#waiting.add(done)
      timer = setTimeout(resolve, VITALS, undefined)
      if (this.#asked !== undefined) return
      this.#ask = (this.#ask + 1) % MOST
      this.#asked = { ask: this.#ask, at: performance.now() }
      this.#send({ type: 'vitals', ask: this.#ask })
    })
    clearTimeout(timer)
    this.#waiting.delete(done)
    return vitals
  }

  /**
   * Tells the worker to close its duplicates of those sockets that none of its servers has. It answers in a later turn
   * of its event loop.
   *
   * @returns the closed ones: all `ids` where it cannot hear or does not answer in time. A thread is waited for, because it has the
   *   descriptors of this process: a number that is closed too early is soon another socket's.
   */
  async release(ids: readonly string[]): Promise<readonly string[]> {
    if (!this.#isOpen()) return ids
    let timer: NodeJS.Timeout | undefined
    const released = await new Promise<readonly string[]>((resolve) => {
      this.#releases.push((all) => resolve(ids.filter((id) => all.includes(id))))
      if (!this.#isThread) timer = setTimeout(resolve, ANSWERS, ids)
      this.#send({ type: 'release', ids })
    })
    clearTimeout(timer)
    return released
  }

  /** Tells the worker to accept from a socket again that it has handed over. @returns whether it does, in time. */
  async giveBack(kept: AnyKept): Promise<boolean> {
    if (!this.#isOpen()) return false
    const { id, handle } = kept
    const local = this.#isThread ? localOf(kept) : undefined
    let timer: NodeJS.Timeout | undefined
    const isTaken = await new Promise<boolean>((resolve) => {
      this.#returns.set(id, resolve)
      timer = setTimeout(resolve, ANSWERS, false)
      this.#send({ type: 'give-back', id, local }, local === undefined ? handle : undefined)
    })
    clearTimeout(timer)
    this.#returns.delete(id)
    return isTaken
  }

  hear(message: FromWorker & { readonly type: 'released' | 'took-back' | 'vitals' }): void {
    if (message.type === 'released') this.#releases.shift()?.(message.ids)
    else if (message.type === 'vitals') this.#hearVitals(message)
    else this.#returns.get(message.id)?.(message.isTaken)
  }

  #hearVitals({ accepted, ask, cpu, memory, open }: FromWorker & { readonly type: 'vitals' }): void {
    if (this.#asked?.ask !== ask) return
    const vitals = { delay: performance.now() - this.#asked.at, open, cpu, memory, accepted }
    this.#asked = undefined
    for (const done of this.#waiting) done(vitals)
  }

  /** The worker has ended. What it had is closed. */
  end(): void {
    for (const answer of this.#releases.splice(0)) answer([])
    for (const answer of this.#returns.values()) answer(false)
    this.#asked = undefined
    for (const done of this.#waiting) done(undefined)
  }
}
