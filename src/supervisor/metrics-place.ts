// Pure: where a supervisor serves its metrics and probes.
import { isIPv6 } from 'node:net'
import { addressText } from '../common/address.js'
import { SupervisorOptionError } from './option-values.js'

/** @internal */
export type MetricsPlace = { readonly host: string; readonly port: number } | { readonly path: string }

/** The option of `Supervisor` for metrics. */
export interface MetricsOption {
  /**
   * Serves `/metrics` (Prometheus), `/livez` and `/readyz` at a port of 127.0.0.1 (`9464`), at `'host:port'`
   * (`'0.0.0.0:9464'`, `'[::1]:9464'`), or at a unix path, which has a slash (`'/run/app/metrics.sock'`, mode 0600) and
   * starts from `cwd`. Port 0: the kernel chooses; the event `'metrics'` says which. Default: no metrics.
   */
  readonly metrics?: number | string | undefined
}

/** @internal @param resolve Makes a path absolute. @throws SupervisorOptionError */
export function toMetricsPlace(
  { metrics: given }: MetricsOption,
  resolve: (path: string) => string,
): MetricsPlace | undefined {
  if (given === undefined) return undefined
  const place = parse(String(given))
  if (place === undefined || !['number', 'string'].includes(typeof given)) {
    throw new SupervisorOptionError('metrics', given, "a port, 'host:port' ('[::1]:9464') or a path with a slash")
  }
  return 'path' in place ? { path: resolve(place.path) } : place
}

function parse(text: string): MetricsPlace | undefined {
  if (text.includes('/')) return text.includes('\0') ? undefined : { path: text }
  const [, v6, name, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535 || (v6 !== undefined && !isIPv6(v6))) return undefined
  return { host: v6 ?? name ?? '127.0.0.1', port }
}

/** @internal As an operator writes it: a URL, or the path. */
export function formatPlace(place: MetricsPlace): string {
  if ('path' in place) return place.path
  return `http://${addressText(place.host, place.port)}`
}
