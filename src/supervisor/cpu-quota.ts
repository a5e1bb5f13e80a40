// Pure: the CPU quota of a process, by the texts of files that the caller reads. cgroups(7), proc_pid_mountinfo(5)

/** The smallest CPU quota that holds for a process. */
export interface CpuQuota {
  /** CPUs; may be a fraction. */
  readonly quota: number
  /** The folder of the cgroup that has this quota. */
  readonly cgroup: string
}

/** Where a cgroup is, from the root of the namespace: so many folders up, and then down by these names. */
interface Place {
  readonly up: number
  readonly names: readonly string[]
}

/** The files of a level: those of version 2 (one file, two numbers), and of version 1. */
const FILES = { cgroup2: ['cpu.max'], cgroup: ['cpu.cfs_quota_us', 'cpu.cfs_period_us'] } as const

const MOST_MOUNTS = 16
const MOST_LEVELS = 64

/**
 * A quota limits the cgroups below it too, so each level counts, up to the root of the mount. Where both versions are
 * mounted, one of them has the controller, and the other has no such files.
 * @param read Gives the text of a file, or undefined where there is none.
 */
export function cpuQuota(read: (file: string) => string | undefined): CpuQuota | undefined {
  const places = placesIn(read('/proc/self/cgroup') ?? '')
  let least: CpuQuota | undefined
  for (const { folder, root, type } of mountsIn(read('/proc/self/mountinfo') ?? '')) {
    const place = places[type]
    for (const level of place === undefined ? [] : levels(folder, root, place)) {
      const quota = toQuota(FILES[type].map((file) => read(`${level}/${file}`)).join(' '))
      if (quota < (least?.quota ?? Number.POSITIVE_INFINITY)) least = { quota, cgroup: level }
    }
  }
  return least
}

/** The cgroup of version 2 has no controllers in its line; of those of version 1 one has the controller `cpu`. */
function placesIn(text: string): Readonly<Record<keyof typeof FILES, Place | undefined>> {
  const line = (controllers: string): Place | undefined =>
    toPlace(new RegExp(`^\\d+:${controllers}:(/.*)$`, 'm').exec(text)?.[1])
  return { cgroup2: line(''), cgroup: line('(?:[^:\\n]+,)?cpu(?:,[^:\\n]+)?') }
}

/** The kernel writes `/../..` for what is above the root of the namespace. */
function toPlace(path: string | undefined): Place | undefined {
  if (path === undefined) return undefined
  const parts = path.split('/').filter((part) => part !== '')
  const names = parts.filter((part) => part !== '..')
  return { up: parts.length - names.length, names }
}

interface Mount {
  readonly folder: string
  readonly root: Place
  readonly type: keyof typeof FILES
}

function mountsIn(text: string): readonly Mount[] {
  const mounts = new Map<string, Mount>()
  for (const line of text.split('\n')) {
    const [, path = '', folder = '', type, options = ''] =
      /^\d+ \d+ \S+ (\/\S*) (\/\S*) .*? - (cgroup2?) \S* (\S+)$/.exec(line) ?? []
    const root = toPlace(unescaped(path))
    if (root === undefined || (type === 'cgroup' && !options.split(',').includes('cpu'))) continue
    // A later mount on the same folder hides an earlier one.
    if (type === 'cgroup' || type === 'cgroup2') mounts.set(folder, { folder: unescaped(folder), root, type })
  }
  return [...mounts.values()].slice(0, MOST_MOUNTS)
}

/** Space, tab, newline and backslash are octal numbers in this file. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** The folders of a cgroup and of those above it, as far as this mount shows them. */
function levels(folder: string, root: Place, { up, names }: Place): readonly string[] {
  // The mount begins above the namespace. The names on the way down are hidden from it.
  if (root.up > up && root.names.length === 0) return [folder]
  const isBelow = root.up === up && root.names.every((name, index) => name === names[index])
  if (!isBelow) return []
  const below = names.slice(root.names.length)
  const count = Math.min(below.length + 1, MOST_LEVELS)
  return Array.from({ length: count }, (_, up) => [folder, ...below.slice(0, below.length - up)].join('/'))
}

/** `max` and -1 stand for no quota. A quota or a period of 0 cannot be set, so such a file says nothing. */
function toQuota(text: string): number {
  const [, quota, period] = /^(\d{1,18})\s+(\d{1,18})\s*$/.exec(text) ?? []
  return Number(quota) / Number(period) || Number.POSITIVE_INFINITY
}
