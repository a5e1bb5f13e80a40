import type { AnyKept } from './kept-socket.js'
import { type FromWorker, localOf, type ToWorker } from './protocol.js'

/** ms for the answer of a process. */
export const ANSWERS = 1000

/** @internal What a supervisor asks one of its workers, and waits for the answer. */
export class Questions {
  readonly #send: (message: ToWorker, handle?: object) => void
  readonly #isThread: boolean
  /** Answers to the messages `release`, in the order of the messages. */
  readonly #releases: ((ids: readonly string[]) => void)[] = []
  /** Answers to the messages `give-back`, by socket. */
  readonly #returns = new Map<string, (isTaken: boolean) => void>()

  constructor(send: (message: ToWorker, handle?: object) => void, isThread: boolean) {
    this.#send = send
    this.#isThread = isThread
  }

  /**
   * Tells the worker to close its duplicates of those sockets that none of its servers has. It answers in a later turn
   * of its event loop.
   *
   * @returns the closed ones: all `ids` where it does not answer in time. A thread is waited for, because it has the
   *   descriptors of this process: a number that is closed too early is soon another socket's.
   */
  async release(ids: readonly string[]): Promise<readonly string[]> {
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

  hear(message: FromWorker & { readonly type: 'released' | 'took-back' }): void {
    if (message.type === 'released') this.#releases.shift()?.(message.ids)
    else this.#returns.get(message.id)?.(message.isTaken)
  }

  /** The worker has ended. What it had is closed. */
  end(): void {
    for (const answer of this.#releases.splice(0)) answer([])
    for (const answer of this.#returns.values()) answer(false)
  }
}
