import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import process from 'node:process'
import type { Duplex, Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { closeHandle } from '../common/close-handle.js'
import type { EndingSignal } from '../common/ending-signals.js'
import { loadAddon } from '../native/addon.js'
import type { Kept } from './kept-socket.js'
import { isEnvelope, openEnvelope, parseFromWorker, toEnvelope } from './messages.js'
import { inspectPort, optionsIn } from './node-options.js'
import { preloadFor } from './own-copy.js'
import { isRequirable } from './preload-options.js'
import {
  CONFIGURATION_FD,
  type FromWorker,
  type KeptSocket,
  REGISTER_URL,
  type ToWorker,
  type WorkerConfiguration,
} from './protocol.js'

/** @internal */
export interface Program {
  /** As for `node` in the folder `cwd`: the path may be relative, and without its extension. */
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
  /** The exit code; null where a signal ended it. */
  readonly code: number | null
  /** The signal that ended it; null where it ended by itself. */
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
  send(message: ToWorker, handle?: object, then?: () => void): void
  /** Sends the signal, for a worker that has closed its IPC channel; ends a thread at once. */
  terminate(signal: EndingSignal): void
  /** Ends the worker at once: SIGKILL for a process. */
  kill(): void
  /** Ends a worker that hangs: a process by SIGABRT, for a core, and by SIGKILL where it still runs then. */
  abort(): void
}

/** Descriptor 3 is the IPC channel, descriptor 4 the configuration. */
const FIRST_SOCKET = 5
const EXIT_AFTER_DISCONNECT = 200 // ms
const DISCONNECT_AFTER_EXIT = 1000 // ms at most
/** ms for what the process printed last. A process that it has started may hold its output open for ever. */
const OUTPUT_AFTER_EXIT = 1000
/** ms in which the kernel ends a process that was killed. One that waits for a device may take longer. */
const KILLED = 5000
/** ms in which the kernel writes the core of a process that was aborted. One that is stopped does not end by SIGABRT. */
const ABORTED = 2000

/** @internal */
export type Launch = (
  program: Program,
  configuration: Omit<WorkerConfiguration, 'sockets'>,
  sockets: readonly Kept[],
  listeners: WorkerListeners,
) => Launched

/** Processes that were started with a port for an inspector. They are counted over all supervisors, as by `cluster`. */
let inspected = 0

/** @internal @throws where the folder `cwd` is missing; most other reasons for a failed start come by `onExit`. */
export const launchProcess: Launch = (program, configuration, sockets, listeners) => {
  const { script, args, env, cwd, output } = program
  // spawn(2) names the executable, not the folder, where the folder is missing.
  statSync(cwd)
  const preload = preloadFor(program)
  const execArgv = [...program.execArgv, ...portOfInspector(program), ...optionFor(preload, program)]
  const child = spawn(process.execPath, [...execArgv, script, ...args], {
    cwd,
    env: { ...env, [CONFIGURATION_FD]: '4', [REGISTER_URL]: preload.href },
    stdio: ['ignore', output, output, 'ipc', 'pipe', ...sockets.map(({ fd }) => fd)],
    // Ctrl-C and the SIGHUP of a terminal that closes must reach only the supervisor. With the addon, the worker leaves
    // the process group itself (setpgid(2)). Without the addon, the worker gets a session of its own, at a price: the
    // scheduler shares CPU time among sessions (sched(7), autogroup).
    detached: !loadAddon().loaded,
    serialization: 'json',
  })
  // At first: where nothing was started, the event 'error' follows, and without a listener it ends this process.
  const giveUp = hear(child, listeners)
  const kept = sockets.map((socket, index) => toKept(socket, FIRST_SOCKET + index))
  const pipe = streamsOf(child)[4] as Duplex | null | undefined
  // A worker that ends before it has read the configuration breaks the pipe. Its exit reports that failure.
  pipe?.on('error', () => {}).end(JSON.stringify({ ...configuration, sockets: kept }))
  const kill = (): void => {
    child.kill('SIGKILL')
    // Ends nothing where the process has ended by then.
    setTimeout(giveUp, KILLED).unref()
  }
  return {
    pid: child.pid ?? -1,
    threadId: undefined,
    isConnected: () => child.connected,
    send(body, handle, then = () => {}) {
      if (child.connected) child.send(toEnvelope(body), handle as never, then)
      else then()
    },
    terminate: (signal) => void child.kill(signal),
    kill,
    abort: () => {
      child.kill('SIGABRT')
      const timer = setTimeout(kill, ABORTED).unref()
      child.once('exit', () => clearTimeout(timer))
    },
  }
}

function optionFor(preload: URL, program: Program): readonly string[] {
  const isEnabled = (process.features as { readonly require_module?: boolean }).require_module === true
  const isRequired = isRequirable(process.versions.node, optionsOf(program), isEnabled)
  return isRequired ? ['--require', fileURLToPath(preload)] : ['--import', preload.href]
}

function optionsOf({ execArgv, env }: Program): readonly string[] {
  return [...execArgv, ...optionsIn(env['NODE_OPTIONS'])]
}

function portOfInspector(program: Program): readonly string[] {
  const options = optionsOf(program)
  const own = [...process.execArgv, ...optionsIn(process.env['NODE_OPTIONS'])]
  const port = inspectPort(options, own, process.debugPort, inspected + 1)
  inspected += port.length
  return port
}

/** Node sets no `stdio` where it had no descriptors for it (EMFILE). */
function streamsOf(child: ChildProcess): readonly unknown[] {
  return (child as { readonly stdio?: readonly unknown[] }).stdio ?? []
}

/** @internal */
export function toKept({ id, wish, isGiven }: Kept, fd: number, inode?: number): KeptSocket {
  return { id, wish, isGiven, fd, inode }
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
    // Nothing was started that could close the other ends.
    child.channel?.unref()
    if (child.connected) child.disconnect()
    for (const stream of streamsOf(child)) (stream as { destroy?(): void } | null | undefined)?.destroy?.()
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
  for (const stream of streamsOf(child)) (stream as { unref?(): void } | null | undefined)?.unref?.()
}

/** @internal A message that is refused leaves no handle open. */
export function take(parse: () => FromWorker, handle: unknown, listeners: WorkerListeners): void {
  let message: FromWorker
  try {
    message = parse()
  } catch (error) {
    closeHandle(handle)
    listeners.onRefusedMessage((error as Error).message)
    return
  }
  if (message.type !== 'listening' && message.type !== 'pass') closeHandle(handle)
  listeners.onMessage(message, handle)
}

/** @internal */
export function hearOutput(
  from: { stdout: Readable | null; stderr: Readable | null },
  listeners: WorkerListeners,
): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const readable = from[stream]
    readable?.setEncoding('utf8').on('data', (text: string) => listeners.onOutput(stream, text, readable))
  }
}
