import { type DrainReport, drain, type ListenableServer } from '../index.js'

export interface DrainTimes {
  readonly grace: number
  readonly drainTimeout: number
}

/** Drains servers. A server whose drain fails has no report; the end of the process closes it. */
export async function drainAll(
  servers: readonly { readonly server: ListenableServer; readonly handOver: boolean }[],
  { grace, drainTimeout: connectionTimeout }: DrainTimes,
): Promise<readonly DrainReport[]> {
  const reports = await Promise.allSettled(
    servers.map(({ server, handOver }) => drain(server, { handOver, grace, connectionTimeout })),
  )
  return reports.flatMap((report) => (report.status === 'fulfilled' ? [report.value] : []))
}
