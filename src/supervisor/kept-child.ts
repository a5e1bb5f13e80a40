import type { ChildProcess } from 'node:child_process'
import { closeHandle } from '../common/close-handle.js'
import type { Kept } from './kept-socket.js'
import { isEnvelope, openEnvelope, parseFromWorker, toEnvelope } from './messages.js'
import type { FromWorker, ToWorker } from './protocol.js'
import type { Host } from './queue-joining.js'

export interface ChildListeners {
  /** `handle`: the socket, where the message is `listening`. */
  onMessage(child: KeptChild, message: FromWorker, handle: unknown): void
  /** The process sent what is not a message of the protocol. */
  onRefused(child: KeptChild, reason: string): void
  onDisconnect(child: KeptChild): void
  onExit(child: KeptChild): void
}

/** A process that the program has started, as the keeper speaks to it. */
export class KeptChild implements Host {
  readonly name: string
  readonly pid: number
  readonly #child: ChildProcess
  #isGone = false

  /** @param name Unlike the pid, of this process alone. */
  constructor(child: ChildProcess, pid: number, name: string, listeners: ChildListeners) {
    this.#child = child
    this.pid = pid
    this.name = name
    ;(child as NodeJS.EventEmitter).on('internalMessage', (message: unknown, handle: unknown) => {
      if (isEnvelope(message)) this.#hear(message, handle, listeners)
    })
    child.once('disconnect', () => listeners.onDisconnect(this))
    child.once('exit', () => {
      this.#isGone = true
      listeners.onExit(this)
    })
  }

  get isGone(): boolean {
    return this.#isGone
  }

  get isReachable(): boolean {
    return this.#child.connected && !this.#isGone
  }

  send(message: ToWorker): void {
    this.#write(message, undefined, () => {})
  }

  /** @param onFailed The socket has not reached the process. */
  sendSocket(
    message: ToWorker & { readonly type: 'take' | 'join' },
    kept: Kept,
    onFailed: () => void = () => {},
  ): void {
    this.#write(message, kept.handle, onFailed)
  }

  #write(message: ToWorker, handle: object | undefined, onFailed: () => void): void {
    if (!this.isReachable) return
    this.#child.send(toEnvelope(message), handle as never, (error) => {
      if (error !== null) onFailed()
    })
  }

  /** A message that is refused leaves no handle open. */
  #hear(envelope: Parameters<typeof openEnvelope>[0], handle: unknown, listeners: ChildListeners): void {
    let message: FromWorker
    try {
      message = openEnvelope(envelope, parseFromWorker)
    } catch (error) {
      closeHandle(handle)
      listeners.onRefused(this, (error as Error).message)
      return
    }
    if (message.type !== 'listening') closeHandle(handle)
    listeners.onMessage(this, message, handle)
  }
}
