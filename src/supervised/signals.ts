import process from 'node:process'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

export type EndingSignal = (typeof SIGNALS)[number]

/** Receives the signals that end the program before the program does, by replacing `process.emit`. */
export class EndingSignals {
  readonly #emit = process.emit
  #isPassing = false

  /**
   * @param onDisconnect Called by `process.emit`: a listener of 'disconnect' would keep an idle program running.
   */
  constructor(onSignal: (signal: EndingSignal) => void, onDisconnect: () => void) {
    process.emit = ((event: string, ...args: unknown[]): boolean => {
      if (event === 'disconnect') onDisconnect()
      const signal = SIGNALS.find((name) => name === event)
      if (signal === undefined || this.#isPassing) return Reflect.apply(this.#emit, process, [event, ...args])
      onSignal(signal)
      return true
    }) as typeof process.emit
    // Without a listener the signal would end the process. Node binds `process.emit` when a signal gets its first
    // listener, so these lines come after the replacement.
    for (const signal of SIGNALS) process.on(signal, nothing)
  }

  /** Passes the signal on to the program. A program without a listener for the signal ends by it. */
  pass(signal: EndingSignal, isThread: boolean): void {
    this.#isPassing = true
    for (const name of SIGNALS) process.off(name, nothing)
    if (process.listenerCount(signal) > 0) Reflect.apply(this.#emit, process, [signal, signal])
    // In a thread a signal would end the whole process.
    else if (isThread) process.exit()
    else process.kill(process.pid, signal)
  }
}

function nothing(): void {}
