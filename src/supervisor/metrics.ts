// Serves the metrics and probes of a supervisor.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Measured, Metrics } from './metrics-collector.js'
import { formatPlace, type MetricsPlace } from './metrics-place.js'
import { MetricsServer } from './metrics-server.js'

/** ms between two tries to get a place that another process has. */
const AGAIN = 200

export interface MetricsOptions {
  readonly place: MetricsPlace
  /** Waits for the place where another process has it, such as the supervisor that is replaced. */
  readonly replace: boolean
  /** The supervisor was told to end: nothing is opened any more. */
  readonly signal: AbortSignal
  readonly sockets: ConstructorParameters<typeof Metrics>[1]
}

/** @returns what closes it. @throws Error with the code of the system where nothing can be served there. */
export async function serveMetrics(
  supervisor: Measured & { emit(name: 'metrics' | 'warning', text: string): boolean },
  { place, replace, signal, sockets }: MetricsOptions,
): Promise<{ close(): void }> {
  const metrics = new Metrics(supervisor, sockets)
  const warn = (text: string): void => void supervisor.emit('warning', text)
  let server: MetricsServer | undefined
  const open = async (): Promise<void> => {
    server = await MetricsServer.open(place, metrics)
    if (signal.aborted) server.close()
    else supervisor.emit('metrics', server.where)
  }
  try {
    await open()
  } catch (error) {
    const failure = failureOf(place, error)
    if (failure.code !== 'EADDRINUSE' || !replace) throw failure
    warn(`${failure.message}; tries again until it can`)
    void retry(open, signal).catch((later) => warn(failureOf(place, later).message))
  }
  return { close: () => server?.close() }
}

async function retry(open: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(AGAIN, undefined, { ref: false })
    try {
      if (!signal.aborted) await open()
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

function failureOf(place: MetricsPlace, error: unknown): Error & { readonly code?: string | undefined } {
  const { code, message } = error as NodeJS.ErrnoException
  return Object.assign(new Error(`cannot serve metrics at ${formatPlace(place)}: ${message}`), { code })
}
