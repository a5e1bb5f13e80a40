// Pure: the cgroups that this process is in, by the texts of files that the caller reads. cgroups(7), proc_pid_mountinfo(5)

/** Gives the text of a file, or undefined where there is none. */
export type Read = (file: string) => string | undefined

/** The cgroup of this process in one mount. */
export interface Cgroup {
  readonly type: 'cgroup2' | 'cgroup'
  /** Its folder first, then those of the cgroups above it, as far as this mount shows them. */
  readonly folders: readonly string[]
}

/** Where a cgroup is, from the root of the namespace: so many folders up, and then down by these names. */
interface Place {
  readonly up: number
  readonly names: readonly string[]
}

const MOST_MOUNTS = 16
const MOST_LEVELS = 64

/** Where both versions are mounted, one of them has the controller, and the other has none of its files. */
export function cgroupsWith(controller: 'cpu' | 'memory', read: Read): readonly Cgroup[] {
  const places = placesIn(read('/proc/self/cgroup') ?? '', controller)
  return mountsIn(read('/proc/self/mountinfo') ?? '', controller).flatMap(({ folder, root, type }) => {
    const place = places[type]
    return place === undefined ? [] : [{ type, folders: levels(folder, root, place) }]
  })
}

/** The cgroup of version 2 has no controllers in its line; of those of version 1 one has this controller. */
function placesIn(text: string, controller: string): Readonly<Record<Cgroup['type'], Place | undefined>> {
  const line = (controllers: string): Place | undefined =>
    toPlace(new RegExp(`^\\d+:${controllers}:(/.*)$`, 'm').exec(text)?.[1])
  return { cgroup2: line(''), cgroup: line(`(?:[^:\\n]+,)?${controller}(?:,[^:\\n]+)?`) }
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
  readonly type: Cgroup['type']
}

function mountsIn(text: string, controller: string): readonly Mount[] {
  const mounts = new Map<string, Mount>()
  for (const line of text.split('\n')) {
    const [, path = '', folder = '', type, options = ''] =
      /^\d+ \d+ \S+ (\/\S*) (\/\S*) .*? - (cgroup2?) \S* (\S+)$/.exec(line) ?? []
    const root = toPlace(unescaped(path))
    if (root === undefined || (type === 'cgroup' && !options.split(',').includes(controller))) continue
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
