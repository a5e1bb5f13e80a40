import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { SystemFailure } from '../common/errors.js'
import { loadAddon } from './addon.js'
import type { Addon } from './addon-contract.js'

/**
 * Tells which accept queues stand: those from which nothing was accepted for a while although connections wait. A thread of
 * the addon looks at them, also while the event loop of this thread is busy; it sleeps while no armed queue has connections.
 */
export class QueueWatch {
  readonly #addon: Addon
  readonly #watch: number
  readonly #numbers: net.Socket
  readonly #stands: (fd: number) => void
  readonly #armed = new Set<number>()
  #rest: Buffer = Buffer.alloc(0)

  private constructor(addon: Addon, watch: number, stands: (fd: number) => void) {
    this.#addon = addon
    this.#watch = watch
    this.#stands = stands
    // One buffer for all reads: by default Node allocates 64 KiB for each, which the garbage collector then has to find.
    const options: net.SocketConstructorOpts & { onread: net.OnReadOpts } = {
      fd: watch,
      readable: true,
      writable: false,
      onread: { buffer: Buffer.alloc(256), callback: (count, bytes) => this.#read(bytes.subarray(0, count)) },
    }
    this.#numbers = new net.Socket(options)
    addon.release(watch)
    // After an error nothing is reported any more.
    this.#numbers.unref().on('error', () => {})
    this.#numbers.resume()
  }

  /**
   * @param stands Called once each time the queue was armed. Its connections may have been accepted since the look.
   * @returns undefined where there is no such watch: the addon is not loaded, or the system is not Linux.
   */
  static open(stands: (fd: number) => void): QueueWatch | SystemFailure | undefined {
    const state = loadAddon()
    if (!state.loaded) return undefined
    const watch = state.addon.openQueueWatch()
    if (typeof watch === 'number') return new QueueWatch(state.addon, watch, stands)
    return getSystemErrorName(watch.errno) === 'ENOSYS' ? undefined : watch
  }

  /**
   * From now on the queue of this listener is reported, once.
   *
   * @param patience For how long nothing is accepted before the queue stands: 1 to 1000 ms, an integer.
   */
  arm(fd: number, patience: number): SystemFailure | undefined {
    const failure = this.#addon.setArmed(this.#watch, fd, patience)
    if (failure === undefined) this.#armed.add(fd)
    return failure
  }

  /** The queue is reported no more. Has to come before the descriptor is closed, also for a queue that was reported. */
  disarm(fd: number): void {
    this.#armed.delete(fd)
    this.#addon.setArmed(this.#watch, fd, 0)
  }

  /** Ends the thread. Nothing is reported any more. */
  close(): void {
    this.#armed.clear()
    this.#addon.endQueueWatch(this.#watch)
    this.#numbers.destroy()
  }

  #read(bytes: Uint8Array): true {
    const all = Buffer.concat([this.#rest, bytes])
    const whole = all.length - (all.length % 4)
    this.#rest = all.subarray(whole)
    for (const fd of new Int32Array(Uint8Array.from(all.subarray(0, whole)).buffer)) this.#told(fd)
    return true
  }

  #told(fd: number): void {
    // One that was disarmed since: its number may be another listener's by now.
    if (this.#armed.delete(fd)) this.#stands(fd)
  }
}
