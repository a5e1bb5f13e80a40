import process from 'node:process'
import { ENDING_SIGNALS, type EndingSignal } from '../common/ending-signals.js'

/** Receives the signals that end the program before the program does, by replacing `process.emit`. */
export class EndingSignals {
  readonly #emit = process.emit
  #wasPassed = false
  /** Whether signals go to the program. */
  #isProgram = false
  /** Whether a signal that the program no longer listens for comes here, instead of ending the process. */
  #isHeld = false

  /**
   * @param onDisconnect Called by `process.emit`: a listener of 'disconnect' would keep an idle program running.
   */
  constructor(onSignal: (signal: EndingSignal) => void, onDisconnect: () => void) {
    process.emit = ((event: string, ...args: unknown[]): boolean => {
      if (event === 'disconnect') onDisconnect()
      const signal = toEnding(event)
      if (signal === undefined || this.#isProgram) return Reflect.apply(this.#emit, process, [event, ...args])
      onSignal(signal)
      return true
    }) as typeof process.emit
    // Without a listener the signal would end the process. Node binds `process.emit` when a signal gets its first
    // listener, so these lines come after the replacement.
    for (const signal of ENDING_SIGNALS) process.on(signal, nothing)
    // Before Node's own listener, which gives the signal back to the kernel with the last listener.
    const emitter: NodeJS.EventEmitter = process
    emitter.prependListener('removeListener', (event: unknown) => {
      const signal = toEnding(event)
      if (this.#isHeld && signal !== undefined && process.listenerCount(signal) === 0) process.on(signal, nothing)
    })
    // Programs and libraries send the signal to themselves when they have cleaned up: that one must end the program.
    const { kill } = process
    process.kill = (pid, signal): true => {
      const isEnding = signal === undefined || typeof signal === 'number' || toEnding(signal) !== undefined
      if (this.#wasPassed && pid === process.pid && isEnding) this.#giveBack()
      return Reflect.apply(kill, process, [pid, signal])
    }
  }

  /**
   * Passes the signal on to the program. A program without a listener for the signal ends by it. The next signal comes
   * here again: it may be the same one, sent to each process of a tree.
   */
  pass(given: EndingSignal, isThread: boolean): void {
    this.#wasPassed = true
    // The default action of SIGQUIT dumps core. signal(7)
    const signal = given === 'SIGQUIT' && !isHeard(given) ? 'SIGTERM' : given
    if (isHeard(signal)) {
      // Libraries count the listeners to find out whether the program has others than theirs.
      this.#isHeld = false
      process.off(signal, nothing)
      this.#isHeld = true
      this.#isProgram = true
      Reflect.apply(this.#emit, process, [signal, signal])
      // A listener may have sent the signal to this process.
      this.#isProgram = !this.#isHeld
    }
    // In a thread a signal would end the whole process.
    else if (isThread) process.exit()
    else process.kill(process.pid, signal)
  }

  #giveBack(): void {
    this.#isProgram = true
    this.#isHeld = false
    for (const signal of ENDING_SIGNALS) process.off(signal, nothing)
  }
}

function toEnding(event: unknown): EndingSignal | undefined {
  return ENDING_SIGNALS.find((name) => name === event)
}

/** Whether the program listens for the signal. */
function isHeard(signal: EndingSignal): boolean {
  return process.listeners(signal).some((listener) => listener !== nothing)
}

function nothing(): void {}
