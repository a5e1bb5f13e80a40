// The link from a worker, process or thread, to its supervisor.
import { closeSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'
import workerThreads, { type MessagePort } from 'node:worker_threads'
import { loadAddon } from '../native/addon.js'
import {
  CONFIGURATION_FD,
  type Envelope,
  type FromWorker,
  isEnvelope,
  THREAD_DATA,
  type ToWorker,
  type WorkerConfiguration,
} from '../supervisor/protocol.js'

export interface Link {
  readonly isThread: boolean
  readonly configuration: WorkerConfiguration
  /** False where the supervisor has ended or the program has closed the channel. */
  isOpen(): boolean
  /** @param handle The handle of the socket, where the worker is a process. */
  send(message: FromWorker, handle?: unknown): void
  onMessage(listener: (message: ToWorker, handle: unknown) => void): void
}

/** Undefined where no supervisor has started this process or thread directly. */
export function linkToSupervisor(): Link | undefined {
  return threadLink() ?? processLink()
}

type Send = (message: Envelope, handle: unknown, then: () => void) => boolean

function processLink(): Link | undefined {
  const fd = process.env[CONFIGURATION_FD]
  if (fd === undefined || !workerThreads.isMainThread || process.send === undefined) return undefined
  const state = loadAddon()
  // Where that fails, Ctrl-C also reaches this worker, which then drains.
  if (state.loaded) state.addon.leadProcessGroup()
  // Processes that this process starts are not workers of the supervisor.
  delete process.env[CONFIGURATION_FD]
  const configuration = JSON.parse(readFileSync(Number(fd), 'utf8')) as WorkerConfiguration
  closeSync(Number(fd))
  // The link keeps this function, because the program may replace `process.send`.
  const send = process.send.bind(process) as unknown as Send
  return {
    isThread: false,
    configuration,
    isOpen: () => process.connected,
    send(body, handle) {
      // The callback ignores an error: a channel that closes in the meantime has no reader.
      if (process.connected) send({ cmd: 'NODE_REUSEPORT', body }, handle, () => {})
    },
    onMessage(listener) {
      ;(process as NodeJS.EventEmitter).on('internalMessage', (message: unknown, handle: unknown) => {
        if (isEnvelope(message)) listener(message.body as ToWorker, handle)
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
  const { configuration, port } = data
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
      port.on('message', (message: ToWorker) => listener(message, undefined))
      port.unref()
    },
  }
}
