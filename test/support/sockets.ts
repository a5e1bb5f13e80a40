import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'

interface Listener {
  readonly queued: number
  readonly backlog: number
}

/** The listening sockets on a port, as ss(8) shows them. */
export function listenersOn(port: number): readonly Listener[] {
  const rows = execFileSync('ss', ['-Hlnt', `sport = :${port}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
  return rows.filter(Boolean).map((row) => {
    const [, queued, backlog] = row.split(/\s+/)
    return { queued: Number(queued), backlog: Number(backlog) }
  })
}

export function acceptQueueLimit(port: number): number | undefined {
  return listenersOn(port)[0]?.backlog
}

/** The descriptors of this process that are sockets. */
export function openSockets(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith('socket:') ? [`${fd} ${target}`] : []
    } catch {
      // The descriptor with which the folder was read.
      return []
    }
  })
}
