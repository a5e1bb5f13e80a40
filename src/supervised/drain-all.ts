import { setTimeout as sleep } from 'node:timers/promises'
import { type DrainReport, drain, type ListenableServer } from '../index.js'
import { pathOf } from '../node/path-listen.js'
import { releaseClose, withholdClose } from '../node/withheld-close.js'
import { HANDSHAKE_TIMEOUT, LOCK_TIMEOUT } from '../supervisor/patience.js'
import type { DrainTimes } from './drain-times.js'

/** The supervisor's patience counts with these. */
const WAITS = { lockTimeout: LOCK_TIMEOUT, handshakeTimeout: HANDSHAKE_TIMEOUT }

/** Drains servers, which the program may close once more. A server whose drain fails has no report; the end of the process closes it. */
export async function drainAll(
  servers: readonly { readonly server: ListenableServer; readonly handOver: boolean }[],
  { grace, drainTimeout: connectionTimeout }: DrainTimes,
): Promise<readonly DrainReport[]> {
  const reports = await Promise.allSettled(
    servers.map(async ({ server, handOver }) => {
      withholdClose(server)
      // New connections find the file of a path no more. Those that wait in its queue are accepted in this time.
      const isPath = pathOf(server) !== undefined
      if (isPath && !handOver) await sleep(grace)
      try {
        return await drain(server, { ...WAITS, handOver: handOver || isPath, grace, connectionTimeout })
      } catch (error) {
        releaseClose(server)
        throw error
      }
    }),
  )
  return reports.flatMap((report) => (report.status === 'fulfilled' ? [report.value] : []))
}
