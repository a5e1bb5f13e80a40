import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import type { Duplex, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { MessageChannel, receiveMessageOnPort, Worker as Thread } from 'node:worker_threads'
import { closeHandle } from '../common/close-handle.js'
import type { EndingSignal } from '../common/ending-signals.js'
import { loadAddon } from '../native/addon.js'
import type { Kept } from './kept-socket.js'
import { isEnvelope, openEnvelope, parseFromWorker, toEnvelope } from './messages.js'
import {
  CONFIGURATION_FD,
  type FromWorker,
  type KeptSocket,
  THREAD_DATA,
  type ToWorker,
  type WorkerConfiguration,
} from './protocol.js'

/** @internal */
export interface Program {
  readonly script: string
  readonly args: readonly string[]
  readonly execArgv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** `'pipe'`: `onOutput` gets the text that the program prints. */
  readonly output: 'inherit' | 'pipe'
}

/** How a worker ended. A thread that the supervisor has ended at once is said to be ended by SIGKILL. */
export interface WorkerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Why the worker could not be started, or what it threw (threads). */
  readonly error: Error | undefined
}

/** @internal */
export interface WorkerListeners {
  onMessage(message: FromWorker, handle: unknown): void
  /** The process or thread sent what is not a message of the protocol. */
  onRefusedMessage(reason: string): void
  /** The program sent this message itself, by `process.send` or `parentPort.postMessage`. */
  onProgramMessage(message: unknown): void
  /** `from` can be paused. Text of a stream that is paused stays with the program, which then waits. */
  onOutput(stream: 'stdout' | 'stderr', text: string, from: Readable): void
  /** The program has closed its IPC channel and still runs. */
  onDisconnect(): void
  /** Called once, after all messages of the worker. */
  onExit(exit: WorkerExit): void
}

/** @internal */
export interface Launched {
  readonly pid: number
  /** Undefined for a process. */
  readonly threadId: number | undefined
  isConnected(): boolean
  send(message: ToWorker, handle?: object): void
  /** Sends the signal, for a worker that has closed its IPC channel; ends a thread at once. */
  terminate(signal: EndingSignal): void
  /** Ends the worker at once: SIGKILL for a process. */
  kill(): void
}

const REGISTER = new URL('./register.js', import.meta.url)

/** Descriptor 3 is the IPC channel, descriptor 4 the configuration. */
const FIRST_SOCKET = 5
const EXIT_AFTER_DISCONNECT = 200 // ms
const DISCONNECT_AFTER_EXIT = 1000 // ms at most
/** ms for what the process printed last. A process that it has started may hold its output open for ever. */
const OUTPUT_AFTER_EXIT = 1000
/** ms in which the kernel ends a process that was killed. One that waits for a device may take longer. */
const KILLED = 5000

/** @internal */
export type Launch = (
  program: Program,
  configuration: Omit<WorkerConfiguration, 'sockets'>,
  sockets: readonly Kept[],
  listeners: WorkerListeners,
) => Launched

/** @internal */
export const launchProcess: Launch = (program, configuration, sockets, listeners) => {
  const { script, args, execArgv, env, cwd, output } = program
  const child = spawn(process.execPath, [...execArgv, '--import', REGISTER.href, script, ...args], {
    cwd,
    env: { ...env, [CONFIGURATION_FD]: '4' },
    stdio: ['ignore', output, output, 'ipc', 'pipe', ...sockets.map(({ fd }) => fd)],
    // Ctrl-C and the SIGHUP of a terminal that closes must reach only the supervisor. With the addon, the worker leaves
    // the process group itself (setpgid(2)). Without the addon, the worker gets a session of its own, at a price: the
    // scheduler shares CPU time among sessions (sched(7), autogroup).
    detached: !loadAddon().loaded,
    serialization: 'json',
  })
  const kept = sockets.map((socket, index) => toKept(socket, FIRST_SOCKET + index))
  const pipe = child.stdio[4] as Duplex | null | undefined
  // A worker that ends before it has read the configuration breaks the pipe. Its exit reports that failure.
  pipe?.on('error', () => {}).end(JSON.stringify({ ...configuration, sockets: kept }))
  const giveUp = hear(child, listeners)
  return {
    pid: child.pid ?? -1,
    threadId: undefined,
    isConnected: () => child.connected,
    send(body, handle) {
      if (child.connected) child.send(toEnvelope(body), handle as never, () => {})
    },
    terminate: (signal) => void child.kill(signal),
    kill: () => {
      child.kill('SIGKILL')
      // Ends nothing where the process has ended by then.
      setTimeout(giveUp, KILLED).unref()
    },
  }
}

function toKept({ id, wish, isGiven }: Kept, fd: number): KeptSocket {
  return { id, wish, isGiven, fd }
}

/** @returns what takes a process that does not end for one that has. */
function hear(child: ChildProcess, listeners: WorkerListeners): () => void {
  const emitter = child as NodeJS.EventEmitter
  emitter.on('internalMessage', (message: unknown, handle: unknown) => {
    if (isEnvelope(message)) take(() => openEnvelope(message, parseFromWorker), handle, listeners)
  })
  emitter.on('message', (message: unknown) => listeners.onProgramMessage(message))
  hearOutput(child, listeners)
  let exit: WorkerExit | undefined
  let isTold = false
  const tell = (): void => {
    if (isTold || exit === undefined) return
    isTold = true
    listeners.onExit(exit)
  }
  child.once('disconnect', () => {
    // The death of a process also closes the channel; the event 'exit' follows a little later.
    setTimeout(() => exit === undefined && listeners.onDisconnect(), EXIT_AFTER_DISCONNECT).unref()
    tell()
  })
  child.on('error', (error) => {
    if (child.pid !== undefined) return
    exit ??= { code: null, signal: null, error }
    tell()
  })
  child.once('exit', (code, signal) => {
    exit = { code, signal, error: undefined }
    // Messages that the process sent before it ended may still be in the channel.
    if (child.connected) setTimeout(tell, DISCONNECT_AFTER_EXIT).unref()
    else tell()
    setTimeout(() => unref(child), OUTPUT_AFTER_EXIT).unref()
  })
  return () => {
    exit ??= { code: null, signal: 'SIGKILL', error: undefined }
    tell()
    unref(child)
  }
}

/** From now on neither the process nor its output keeps this process alive. */
function unref(child: ChildProcess): void {
  child.unref()
  child.channel?.unref()
  for (const stream of child.stdio) (stream as { unref?(): void } | null | undefined)?.unref?.()
}

/** A message that is refused leaves no handle open. */
function take(parse: () => FromWorker, handle: unknown, listeners: WorkerListeners): void {
  let message: FromWorker
  try {
    message = parse()
  } catch (error) {
    closeHandle(handle)
    listeners.onRefusedMessage((error as Error).message)
    return
  }
  if (message.type !== 'listening') closeHandle(handle)
  listeners.onMessage(message, handle)
}

function hearOutput(from: { stdout: Readable | null; stderr: Readable | null }, listeners: WorkerListeners): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const readable = from[stream]
    readable?.setEncoding('utf8').on('data', (text: string) => listeners.onOutput(stream, text, readable))
  }
}

/** @internal */
export const launchThread: Launch = (program, configuration, sockets, listeners) => {
  const { script, args, execArgv, env, output } = program
  const { port1, port2 } = new MessageChannel()
  const kept = sockets.map((socket) => toKept(socket, socket.fd))
  const thread = new Thread(script, {
    argv: [...args],
    execArgv: [...execArgv, '--import', fileURLToPath(REGISTER)],
    env: { ...env },
    stdout: output === 'pipe',
    stderr: output === 'pipe',
    workerData: { [THREAD_DATA]: { configuration: { ...configuration, sockets: kept }, port: port2 } },
    transferList: [port2],
  })
  let error: Error | undefined
  const hear = (message: unknown): void => take(() => parseFromWorker(message), undefined, listeners)
  port1.on('message', hear)
  thread.on('message', (message: unknown) => listeners.onProgramMessage(message))
  thread.on('error', (thrown) => {
    error = thrown instanceof Error ? thrown : new Error(String(thrown))
  })
  let isRunning = true
  let isKilled = false
  thread.once('exit', (code) => {
    isRunning = false
    // The last messages of the thread may still be in the port.
    for (let last = receiveMessageOnPort(port1); last !== undefined; last = receiveMessageOnPort(port1)) {
      hear(last.message)
    }
    port1.close()
    // Node gives a thread that was terminated the exit code 1, as where its program fails.
    listeners.onExit({ code: isKilled ? null : code, signal: isKilled ? 'SIGKILL' : null, error })
  })
  if (output === 'pipe') hearOutput(thread, listeners)
  return {
    pid: process.pid,
    threadId: thread.threadId,
    isConnected: () => isRunning,
    send: (message) => port1.postMessage(message),
    terminate: () => void thread.terminate(),
    kill() {
      isKilled = true
      void thread.terminate()
    },
  }
}
