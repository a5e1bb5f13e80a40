// `reuseport run -n auto` with real limits: a cgroup of its own, and the affinity.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { automaticWorkers } from '../../src/supervisor/automatic-workers.js'
import { reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'
import { script } from '../support/supervisors.js'

let folder: string
let setting: string

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-auto-'))
  setting = path.join(folder, 'setting.json')
  writeFileSync(setting, JSON.stringify({ how: 'plain', port: await freePort() }))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** What the command says and does, run by these words. */
async function said(before: readonly string[]): Promise<{ line: string; workers: number; from: unknown }> {
  await using words = reuseport(['run', script, setting], { before })
  await words.said(/workers? on/)
  const [, line = '', on] = /: (starts .*)\n[\s\S]*: (\d+) workers? on/.exec(words.stderr()) ?? []
  await using json = reuseport(['run', '-n', 'auto', '--json', script, setting], { before })
  await json.said(/"event":"running"/)
  const [first = ''] = json.stderr().split('\n')
  const { event, workers, from } = JSON.parse(first) as { event: string; workers: number; from: unknown }
  expect(event).toBe('workers:auto')
  expect(Number(on)).toBe(workers)
  return { line, workers, from }
}

interface Kind {
  readonly parent: string
  /** Arguments of `mount` for this hierarchy. */
  readonly mount: string
  /** Gives this cgroup so many µs in 100 ms; -1: no quota. */
  limit(cgroup: string, quota: number): void
}

/** Where the whole hierarchy is mounted. */
function mountOf(pattern: RegExp): string | undefined {
  return pattern.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1]
}

/** @returns what can be done here, or why nothing can. */
function kindOf(): Kind | string {
  const first = mountOf(/ \/ (\S+) .* - cgroup \S+ \S*\bcpu\b/)
  const second = mountOf(/ \/ (\S+) .* - cgroup2 /)
  const kinds: Kind[] = []
  if (first !== undefined)
    kinds.push({
      parent: first,
      mount: '-t cgroup -o cpu',
      limit: (cgroup, quota) => writeFileSync(`${cgroup}/cpu.cfs_quota_us`, String(quota)),
    })
  if (second !== undefined && readFileSync(`${second}/cgroup.subtree_control`, 'utf8').split(/\s/).includes('cpu'))
    kinds.push({
      parent: second,
      mount: '-t cgroup2',
      limit: (cgroup, quota) => writeFileSync(`${cgroup}/cpu.max`, `${quota === -1 ? 'max' : quota} 100000`),
    })
  const why: string[] = []
  for (const kind of kinds) {
    const trial = path.join(kind.parent, `reuseport-trial-${process.pid}`)
    try {
      mkdirSync(trial)
      try {
        kind.limit(trial, 50_000)
        return kind
      } finally {
        rmdirSync(trial)
      }
    } catch (error) {
      why.push((error as Error).message)
    }
  }
  return why.join(', ') || 'no cgroups with the controller cpu are mounted'
}

const kind = process.platform === 'linux' ? kindOf() : 'not Linux'
const machine = cpus().length

describe.skipIf(typeof kind === 'string')(
  `a cgroup of its own (${typeof kind === 'string' ? kind : 'may be made'})`,
  () => {
    let outer: string
    let inner: string
    const { parent, mount, limit } = kind as Kind
    // The shell enters the cgroup; the command inherits it.
    const entering = ['sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"']

    beforeEach(() => {
      outer = path.join(parent, `reuseport a:b ${process.pid}`)
      inner = path.join(outer, 'inner')
      mkdirSync(outer)
      if (hasController(outer)) writeFileSync(`${outer}/cgroup.subtree_control`, '+cpu')
      mkdirSync(inner)
    })

    afterEach(async () => {
      // Processes leave their cgroup when their parent has reaped them.
      for (const cgroup of [inner, outer]) await expect.poll(() => removed(cgroup), { timeout: 10_000 }).toBe(true)
    })

    test('a quota of half a CPU: one worker', async () => {
      limit(inner, 50_000)
      const { line, workers, from } = await said([...entering, inner])
      expect(workers).toBe(1)
      if (machine === 1) return
      expect(line).toBe(`starts 1 worker: the CPU quota in ${inner} is 0.5 of ${machine} CPUs`)
      expect(from).toEqual({ limit: 'quota', cpus: machine, quota: 0.5, cgroup: inner })
    })

    test.skipIf(machine < 2)('a quota of the cgroup above, rounded down (needs 2 CPUs)', async () => {
      limit(outer, 190_000)
      const { workers, from } = await said([...entering, inner])
      expect(workers).toBe(1)
      expect(from).toEqual({ limit: 'quota', cpus: machine, quota: 1.9, cgroup: outer })
    })

    test.skipIf(machine < 2 || !runs('unshare', '-C', '-m', 'true'))(
      'in a namespace, as in a container: the paths of the host are not known (needs unshare, 2 CPUs)',
      async () => {
        limit(inner, 110_000)
        const inside = path.join(folder, 'c g')
        mkdirSync(inside)
        const mounting = `mount ${mount} none "$0" && exec "$@"`
        const { from } = await said([...entering, inner, 'unshare', '-C', '-m', 'sh', '-c', mounting, inside])
        expect(from).toEqual({ limit: 'quota', cpus: machine, quota: 1.1, cgroup: inside })
      },
    )

    test('a quota of more than the machine has, and none', async () => {
      const { workers, from } = automaticWorkers()
      limit(outer, 100_000 * (machine + 1))
      limit(inner, -1)
      expect(await said([...entering, inner])).toMatchObject({ workers, from })
    })
  },
)

function hasController(cgroup: string): boolean {
  try {
    return readFileSync(`${cgroup}/cgroup.controllers`, 'utf8').includes('cpu')
  } catch {
    return false
  }
}

function removed(cgroup: string): boolean {
  try {
    rmdirSync(cgroup)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

const [list = ''] = /(?<=^Cpus_allowed_list:\s+)\d+/m.exec(
  process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : '',
) ?? ['']

test.skipIf(list === '' || machine < 2 || !runs('taskset', '--version'))(
  'the affinity, by taskset (needs 2 CPUs)',
  async () => {
    expect(await said(['taskset', '-c', list])).toEqual({
      line: `starts 1 worker: the affinity allows no more of ${machine} CPUs`,
      workers: 1,
      from: { limit: 'affinity', cpus: machine },
    })
  },
)

function runs(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
