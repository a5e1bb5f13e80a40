// Whether the kernel's OOM killer has ended processes of this cgroup.
// cgroups(7); Linux, Documentation/admin-guide/cgroup-v2.rst (memory.events) and cgroup-v1/memory.rst (oom_control)
import { type Cgroup, cgroupsWith, type Read } from './cgroup.js'
import { readBounded } from './read-bounded.js'

const FILES: Readonly<Record<Cgroup['type'], string>> = { cgroup2: 'memory.events', cgroup: 'memory.oom_control' }

export class OomKills {
  readonly #read: Read
  #seen: number | undefined

  /** @param read Reads the files of the kernel. */
  constructor(read: Read = readBounded) {
    this.#read = read
    this.#seen = countedBy(read)
  }

  /** Whether one more process was ended than by the earlier calls that said so. False where the kernel does not count. */
  hasOneMore(): boolean {
    const count = countedBy(this.#read)
    if (count === undefined || this.#seen === undefined || count <= this.#seen) return false
    this.#seen++
    return true
  }
}

/** A cgroup without the controller is counted by the next one above that has it. */
function countedBy(read: Read): number | undefined {
  for (const { folders, type } of cgroupsWith('memory', read)) {
    for (const folder of folders) {
      const [, count] = /^oom_kill (\d{1,15})$/m.exec(read(`${folder}/${FILES[type]}`) ?? '') ?? []
      if (count !== undefined) return Number(count)
    }
  }
  return undefined
}
