import process from 'node:process'
import { ENDING_SIGNALS, type EndingSignal } from '../common/ending-signals.js'

/** Receives the signals that end the program before the program does, by replacing `process.emit`. */
export class EndingSignals {
  readonly #emit = process.emit
  #wasPassed = false
  /** Whether signals go to the program. */
  #isProgram = false

  /**
   * @param onDisconnect Called by `process.emit`: a listener of 'disconnect' would keep an idle program running.
   */
  constructor(onSignal: (signal: EndingSignal) => void, onDisconnect: () => void) {
    process.emit = ((event: string, ...args: unknown[]): boolean => {
      if (event === 'disconnect') onDisconnect()
      const signal = ENDING_SIGNALS.find((name) => name === event)
      if (signal === undefined || this.#isProgram) return Reflect.apply(this.#emit, process, [event, ...args])
      onSignal(signal)
      return true
    }) as typeof process.emit
    // Programs and libraries send the signal to themselves when they have cleaned up: that one must end the program.
    const { kill } = process
    process.kill = (pid, signal): true => {
      if (pid === process.pid && this.#wasPassed && this.#isEnding(signal)) this.#giveBack()
      return Reflect.apply(kill, process, [pid, signal])
    }
    this.#catch()
  }

  #isEnding(signal: string | number | undefined): boolean {
    return signal === undefined || typeof signal === 'number' || ENDING_SIGNALS.some((name) => name === signal)
  }

  /**
   * Passes the signal on to the program. A program without a listener for the signal ends by it. The next signal comes
   * here again: it may be the same one, sent to each process of a tree.
   */
  pass(given: EndingSignal, isThread: boolean): void {
    this.#wasPassed = true
    this.#giveBack()
    // The default action of SIGQUIT would dump core. signal(7)
    const signal = given === 'SIGQUIT' && process.listenerCount(given) === 0 ? 'SIGTERM' : given
    if (process.listenerCount(signal) > 0) {
      Reflect.apply(this.#emit, process, [signal, signal])
      // Not before: libraries count the listeners to find out whether the program has others than theirs.
      this.#isProgram = false
      this.#catch()
    }
    // In a thread a signal would end the whole process.
    else if (isThread) process.exit()
    else process.kill(process.pid, signal)
  }

  /** Without a listener a signal would end the process. Node binds `process.emit` when a signal gets its first one. */
  #catch(): void {
    for (const name of ENDING_SIGNALS) process.on(name, nothing)
  }

  #giveBack(): void {
    this.#isProgram = true
    for (const name of ENDING_SIGNALS) process.off(name, nothing)
  }
}

function nothing(): void {}
