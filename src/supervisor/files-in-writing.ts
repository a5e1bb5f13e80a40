import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** O_ACCMODE of open(2): read only is 0. */
const ACCESS_MODE = 3

/** The files that these processes have open for writing, such as logs and databases. Empty where there is no /proc. */
export function filesInWriting(pids: Iterable<number>): ReadonlySet<string> {
  return new Set([...pids].flatMap(filesOf))
}

function filesOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => fileOf(pid, fd))
  } catch {
    return []
  }
}

/** proc_pid_fdinfo(5) */
function fileOf(pid: number, fd: string): readonly string[] {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/${fd}`)
    if (!path.startsWith('/')) return []
    const [, flags = '0'] = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) ?? []
    return (Number.parseInt(flags, 8) & ACCESS_MODE) === 0 ? [] : [path]
  } catch {
    // The process has closed it meanwhile.
    return []
  }
}
