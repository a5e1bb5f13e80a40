// Room: a listener leaves its group without losing a connection. It may import listen and every room below.
import { ServerNotRunningError } from '../common/errors.js'
import { part } from '../common/part.js'
import type { BindableSocket } from '../node/datagram-socket.js'
import { isDatagramSocket } from '../node/datagram-socket.js'
import type { ListenableServer } from '../node/server.js'
import { assertServer } from '../node/server.js'
import { releaseClose } from '../node/withheld-close.js'
import { parseDrainOptions } from './drain-options.js'
import type { DrainOptions, DrainReport } from './drain-types.js'

const draining = part(() => import('./drain-server.js'))

interface Drain {
  readonly report: Promise<DrainReport>
  /** Whether the server has stopped listening. */
  readonly hasLeft: () => boolean
}

const drains = new WeakMap<ListenableServer | BindableSocket, Drain>()

/**
 * Takes a server out of the group that shares its port and closes it, without losing a connection: new connections go
 * to the other members, the server accepts connections that have begun, and accepted connections may finish.
 *
 * ```js
 * process.once('SIGTERM', async () => {
 *   const { lossless, reason } = await drain(server)
 *   process.exit(0)
 * })
 * ```
 *
 * Takes every server that listens on a port: of `listenReusePort`, of Node's `reusePort`, of a cluster worker or of a
 * worker thread. A second call for the same server returns the same promise, until the server listens again. From the
 * beginning of the drain the last response of each HTTP/1 connection says `Connection: close`, and HTTP/2 sessions get a
 * GOAWAY. WebSockets get a Close frame (1001), and answers of the type text/event-stream end, one after the other.
 *
 * A UDP socket that is bound to one address gets no new datagrams, reads those that have arrived, and closes. A UDP
 * socket that is bound to every address cannot be steered around: it reads its receive buffer and closes, and the
 * report says that datagrams may be lost.
 *
 * A drain needs no privileges. It replaces the program of the group twice (three times for several drains together) and
 * then detaches it, so a member that had attached a program of its own has to attach it again. Drains of a group that
 * begin together, in one process or in many, leave together; one that begins later waits for the next departure. A
 * socket that another process holds too stays in its group: the drain hands it over, as `handOver` does.
 *
 * Rejected: `ERR_SERVER_NOT_RUNNING`, `ERR_SOCKET_DGRAM_NOT_RUNNING`; the reason of `signal`; `ERR_INVALID_ARG_TYPE`,
 * `ERR_OUT_OF_RANGE` and `ERR_REUSEPORT_UNKNOWN_OPTION` for invalid arguments. The report describes any other step that
 * failed.
 *
 * Lossless on Linux, by steering on 5.3 and later. Before that, and where a seccomp filter refuses programs, the
 * listener answers nobody new while it finishes what has begun. On other systems `drain` closes the server as
 * `server.close()` does, and the report says so. `socket(7)`, `tcp(7)`.
 */
export function drain(target: ListenableServer | BindableSocket, options: DrainOptions = {}): Promise<DrainReport> {
  try {
    const isDatagram = isDatagramSocket(target)
    if (!isDatagram) assertServer(target)
    const times = parseDrainOptions(options)
    const known = drains.get(target)
    // A server that has left its group and listens again is drained again.
    if (known !== undefined && !(known.hasLeft() && !isDatagram && target.listening)) {
      if (!isDatagram) releaseClose(target)
      return known.report
    }
    let hasLeft = false
    const onLeft = (): void => {
      hasLeft = true
    }
    if (!isDatagram && !target.listening) throw new ServerNotRunningError()
    const report = draining.use(({ drainDatagram, drainServer }) =>
      isDatagram ? drainDatagram(target, times) : drainServer(target, times, onLeft),
    )
    const drain: Drain = { report, hasLeft: () => hasLeft }
    drains.set(target, drain)
    // A server whose drain was aborted still listens.
    report.catch(() => {
      if (drains.get(target) === drain) drains.delete(target)
    })
    return report
  } catch (error) {
    return Promise.reject(error)
  }
}
