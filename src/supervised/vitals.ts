// How this worker is, for the supervisor that asks. Nothing is counted until then.
import net from 'node:net'
import process from 'node:process'
import type { ListenableServer } from '../index.js'
import type { FromWorker } from '../supervisor/protocol.js'
import type { Link } from './link.js'
import type { Servers } from './servers.js'

export async function answerVitals(ask: number, link: Link, servers: Servers): Promise<void> {
  const counts = await Promise.all(servers.everySeen().map(connectionsOf))
  const open = counts.reduce((sum, count) => sum + count, 0)
  const { accepted } = servers
  link.send({ type: 'vitals', ask, open, accepted, ...(link.isThread ? ofThread() : ofProcess()) })
}

/** By Node's own method: one of the program might not answer. */
function connectionsOf(server: ListenableServer): Promise<number> | number {
  if (!(server instanceof net.Server)) return 0
  return new Promise((resolve) => {
    Reflect.apply(net.Server.prototype.getConnections, server, [
      (error: Error | null, count: number) => resolve(error === null ? count : 0),
    ])
  })
}

type Usage = Pick<FromWorker & { readonly type: 'vitals' }, 'cpu' | 'memory'>

function ofProcess(): Usage {
  return { cpu: total(process.cpuUsage()), memory: process.memoryUsage.rss() }
}

/** Most that Node tells is of the process, with all its threads. `threadCpuUsage` came with Node 23.9. */
function ofThread(): Usage {
  const { threadCpuUsage } = process as { threadCpuUsage?: () => NodeJS.CpuUsage }
  const { external, heapTotal } = process.memoryUsage()
  return { cpu: threadCpuUsage === undefined ? undefined : total(threadCpuUsage()), memory: heapTotal + external }
}

/** @param usage In µs. @returns ms. */
function total({ system, user }: NodeJS.CpuUsage): number {
  return (system + user) / 1000
}
