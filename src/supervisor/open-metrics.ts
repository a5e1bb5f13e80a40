import type { MetricsOptions, serveMetrics } from './metrics.js'
import type { Settings } from './options.js'

/** Serves metrics where the options say so. HTTP is loaded only then. @returns what closes it. @throws as `serveMetrics`. */
export async function openMetrics(
  supervisor: Parameters<typeof serveMetrics>[0],
  { metrics: place, replace }: Settings,
  signal: AbortSignal,
  sockets: MetricsOptions['sockets'],
): Promise<{ close(): void } | undefined> {
  if (place === undefined) return undefined
  const metrics = await import('./metrics.js')
  return metrics.serveMetrics(supervisor, { place, replace, signal, sockets })
}
