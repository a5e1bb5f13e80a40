import process from 'node:process'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const

export type EndingSignal = (typeof SIGNALS)[number]

/** What the program would hear of signals that end it comes here first. */
export class EndingSignals {
  readonly #emit = process.emit
  #isPassing = false

  /** @param onDisconnect A listener of 'disconnect' would keep the program from ending where it has nothing more to do. */
  constructor(onSignal: (signal: EndingSignal) => void, onDisconnect: () => void) {
    process.emit = ((event: string, ...args: unknown[]): boolean => {
      if (event === 'disconnect') onDisconnect()
      const signal = SIGNALS.find((name) => name === event)
      if (signal === undefined || this.#isPassing) return Reflect.apply(this.#emit, process, [event, ...args])
      onSignal(signal)
      return true
    }) as typeof process.emit
    // Without a listener the signal would end the process. From here on Node knows the function above.
    for (const signal of SIGNALS) process.on(signal, nothing)
  }

  /** The program hears it now; where it does not listen for it, it ends as by that signal. */
  pass(signal: EndingSignal, isThread: boolean): void {
    this.#isPassing = true
    for (const name of SIGNALS) process.off(name, nothing)
    if (process.listenerCount(signal) > 0) Reflect.apply(this.#emit, process, [signal, signal])
    // A signal would be for the whole process.
    else if (isThread) process.exit()
    else process.kill(process.pid, signal)
  }
}

function nothing(): void {}
