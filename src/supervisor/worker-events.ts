// What a running worker is given, tells and asks.
import type { EndingSignal } from '../common/ending-signals.js'
import type { Kept } from './kept-socket.js'
import type { Program, WorkerExit, WorkerListeners } from './launch.js'
import type { FromWorker, Listening, Place, WorkerConfiguration } from './protocol.js'

/** @internal */
export interface WorkerPlan {
  readonly slot: number
  readonly generation: number
  readonly program: Program
  readonly configuration: Omit<WorkerConfiguration, 'sockets'>
  /** Sockets that the supervisor holds for this worker: those of the slot, and given ones. */
  readonly sockets: readonly Kept[]
}

/** @internal What a worker says of one of its sockets, or of one whose guest it is. */
export type AboutSocket = FromWorker & {
  readonly type:
    | 'closed'
    | 'drains'
    | 'listens'
    | 'want'
    | 'not-opened'
    | 'joined'
    | 'parted'
    | 'visits'
    | 'pong'
    | 'health'
}

/** The messages that keep the numbers of connections even. */
export type BalanceMessage = 'connections' | 'pass' | 'served'

/** @internal What the pool hears of each of its workers. */
export interface WorkerEvents<Worker> {
  /** `kept`: the socket, where the supervisor did not hold it before. */
  onListening(worker: Worker, listening: Listening, kept: Kept | undefined): void
  onNested(worker: Worker, place: Place): void
  onAboutSocket(worker: Worker, message: AboutSocket): void
  onRelieve(worker: Worker, signal: EndingSignal): void
  onLeft(worker: Worker, left: FromWorker & { readonly type: 'left' }): void
  /** `handle`: the connection, where the message is `pass`. */
  onBalance(worker: Worker, message: FromWorker & { readonly type: BalanceMessage }, handle: unknown): void
  onOutput(worker: Worker, ...output: Parameters<WorkerListeners['onOutput']>): void
  onProgramMessage(worker: Worker, message: unknown): void
  onRefusedMessage(worker: Worker, reason: string): void
  onDisconnect(worker: Worker): void
  onExit(worker: Worker, exit: WorkerExit): void
}

/** @internal What the register says of a worker that starts. */
export interface Readiness {
  isReady(): boolean
  /** Whether the worker accepts anywhere. */
  accepts(): boolean
  /** Asks the worker what it still accepts from. */
  confirm(): Promise<void>
}
