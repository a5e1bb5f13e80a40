// The link from a worker, process or thread, to its supervisor.
import { closeSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'
import workerThreads, { type MessagePort } from 'node:worker_threads'
import { closeHandle } from '../common/close-handle.js'
import { loadAddon } from '../native/addon.js'
import {
  type Envelope,
  isEnvelope,
  openEnvelope,
  parseToWorker,
  parseWorkerConfiguration,
  toEnvelope,
} from '../supervisor/messages.js'
import {
  CONFIGURATION_FD,
  type FromWorker,
  THREAD_DATA,
  type ToWorker,
  type WorkerConfiguration,
} from '../supervisor/protocol.js'

export interface Link {
  readonly isThread: boolean
  readonly configuration: WorkerConfiguration
  /** False where the supervisor has ended or the program has closed the channel. */
  isOpen(): boolean
  /**
   * @param handle The handle of the socket, where the worker is a process.
   * @param onFailed Called where the message could not be sent with its handle, which may have been closed by then.
   */
  send(message: FromWorker, handle?: unknown, onFailed?: () => void): void
  onMessage(listener: (message: ToWorker, handle: unknown) => void): void
}

type Listener = (message: ToWorker, handle: unknown) => void

/** Messages whose listener takes the handle, or closes it. */
const WITH_SOCKET: readonly ToWorker['type'][] = ['take', 'give-back', 'join', 'serve', 'health']

/** A program that forks may send such messages to itself. What is none is told once, and leaves no handle open. */
function hear(parse: () => ToWorker, handle: unknown, listener: Listener): void {
  let message: ToWorker
  try {
    message = parse()
  } catch (error) {
    closeHandle(handle)
    process.emitWarning(`a message of the supervisor is refused: ${(error as Error).message}`, {
      type: 'ReusePortWarning',
      code: 'REUSEPORT_MESSAGE_REFUSED',
    })
    return
  }
  if (!WITH_SOCKET.includes(message.type)) closeHandle(handle)
  listener(message, handle)
}

/**
 * Whether the supervisor has ended and Node does not tell: it emits no 'disconnect' while a handle that was sent is not
 * acknowledged. Where the program has closed the channel, Node emits it later, and keeps `process.channel` until then.
 */
export function isLostInSilence(): boolean {
  return process.connected === false && (process.channel ?? undefined) === undefined
}

/** Undefined where no supervisor has started this process or thread directly. */
export function linkToSupervisor(): Link | undefined {
  return threadLink() ?? processLink()
}

type Send = (message: Envelope, handle: unknown, then: (error: Error | null) => void) => boolean

function processLink(): Link | undefined {
  const fd = process.env[CONFIGURATION_FD]
  if (fd === undefined || !workerThreads.isMainThread || process.send === undefined) return undefined
  const state = loadAddon()
  // Where that fails, Ctrl-C also reaches this worker, which then drains.
  if (state.loaded) {
    state.addon.leadProcessGroup()
    // For a terminal this group is in the background, whatever the supervisor's group is.
    state.addon.writeInBackground()
  }
  // Processes that this process starts are not workers of the supervisor.
  delete process.env[CONFIGURATION_FD]
  const configuration = parseWorkerConfiguration(JSON.parse(readFileSync(Number(fd), 'utf8')))
  closeSync(Number(fd))
  return { configuration, ...channelLink(process.send) }
}

/** @param send That of the process. The link keeps it, because the program may replace `process.send`. */
export function channelLink(send: NonNullable<typeof process.send>): Omit<Link, 'configuration'> {
  const write = send.bind(process) as unknown as Send
  return {
    isThread: false,
    isOpen: () => process.connected,
    send(body, handle, onFailed) {
      if (!process.connected) return
      write(toEnvelope(body), handle, (error) => {
        // A channel that has closed in the meantime has no reader.
        if (error !== null && handle !== undefined && process.connected) onFailed?.()
      })
    },
    onMessage(listener) {
      ;(process as NodeJS.EventEmitter).on('internalMessage', (message: unknown, handle: unknown) => {
        if (isEnvelope(message)) hear(() => openEnvelope(message, parseToWorker), handle, listener)
      })
    },
  }
}

interface ThreadData {
  readonly configuration: WorkerConfiguration
  readonly port: MessagePort
}

function threadLink(): Link | undefined {
  const { workerData } = workerThreads as { workerData: { readonly [THREAD_DATA]?: ThreadData } | null }
  const data = workerData?.[THREAD_DATA]
  if (workerThreads.isMainThread || data === undefined)
    return undefined
    // The program sees `workerData` as without a supervisor.
  ;(workerThreads as { workerData: unknown }).workerData = null
  syncBuiltinESMExports()
  const { port } = data
  const configuration = parseWorkerConfiguration(data.configuration)
  let isOpen = true
  port.on('close', () => {
    isOpen = false
  })
  port.unref()
  return {
    isThread: true,
    configuration,
    isOpen: () => isOpen,
    send: (message) => port.postMessage(message),
    onMessage(listener) {
      port.on('message', (message: unknown) => hear(() => parseToWorker(message), undefined, listener))
      port.unref()
    },
  }
}
