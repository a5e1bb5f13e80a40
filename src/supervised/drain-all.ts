import { type DrainReport, drain, type ListenableServer } from '../index.js'
import { pathOf } from '../node/path-listen.js'
import { releaseClose, withholdClose } from '../node/withheld-close.js'
import { HANDSHAKE_TIMEOUT, LOCK_TIMEOUT } from '../supervisor/patience.js'
import type { DrainTimes } from './drain-times.js'
import { emptyPath } from './emptied-path.js'

/** The supervisor's patience counts with these. */
const WAITS = { lockTimeout: LOCK_TIMEOUT, handshakeTimeout: HANDSHAKE_TIMEOUT }

const LEFT = 'connections may have waited at the unix path when its last worker left'

/** Drains servers, which the program may close once more. A server whose drain fails has no report; the end of the process closes it. */
export async function drainAll(
  servers: readonly { readonly server: ListenableServer; readonly handOver: boolean }[],
  times: DrainTimes,
): Promise<readonly DrainReport[]> {
  const { grace, drainTimeout: connectionTimeout } = times
  const reports = await Promise.allSettled(
    servers.map(async ({ server, handOver }) => {
      withholdClose(server)
      const path = pathOf(server)
      const isEmpty = path === undefined || handOver || (await emptyPath(server, times))
      try {
        const isHandedOver = handOver || path !== undefined
        const report = await drain(server, { ...WAITS, handOver: isHandedOver, grace, connectionTimeout })
        return isEmpty
          ? report
          : { ...report, lossless: false, reason: [LEFT, report.reason].filter(Boolean).join('; ') }
      } catch (error) {
        releaseClose(server)
        throw error
      }
    }),
  )
  return reports.flatMap((report) => (report.status === 'fulfilled' ? [report.value] : []))
}
