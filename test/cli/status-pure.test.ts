// `reuseport status` and `ls --check` as text, at the widths of terminals.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { hangsOf, problemLines, problemsOf } from '../../src/cli/ls-check.js'
import { status, withShares } from '../../src/cli/status.js'
import { type Looked, placesText, statusText } from '../../src/cli/status-table.js'
import type { Group, GroupMember } from '../../src/index.js'
import type { SupervisorVitals } from '../../src/supervisor.js'

const fakes = vi.hoisted(() => ({ vitals: (_which?: unknown): Promise<readonly unknown[]> => Promise.resolve([]) }))

vi.mock('../../src/supervisor.js', async (load) => ({
  ...(await load<typeof import('../../src/supervisor.js')>()),
  supervisorVitals: (which: unknown) => fakes.vitals(which),
}))

afterEach(() => {
  fakes.vitals = () => Promise.resolve([])
})

const NOW = Date.parse('2026-01-02T12:00:00Z')
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString()
const screen = (columns: number | undefined) => ({ columns, rows: 24, coloured: false })

const WORKER = { generation: 3, state: 'ready', startedAt: ago(7200), sockets: [] }
const HUNG = { ...WORKER, slot: 1, pid: 41_002, silence: 12_345, cpuPercent: 100, memory: 1.5 * 2 ** 30 }
const ALL: Looked = {
  pid: 41_000,
  script: '/srv/releases/2026-01-02/a-shop-with-a-long-name/packages/web/dist/server.js',
  state: 'reloading',
  generation: 4,
  startedAt: ago(9 * 86_400),
  places: [
    { protocol: 'tcp', address: '::', port: 8080 },
    { protocol: 'udp', address: '127.0.0.1', port: 53 },
  ],
  workers: [
    { ...WORKER, slot: 0, pid: 41_001, delay: 0.4, open: 12, cpuPercent: 3, memory: 85 << 20, queued: 0, backlog: 511 },
    { ...HUNG, queued: 511, backlog: 511 },
    { ...WORKER, slot: 1, pid: 41_009, generation: 4, state: 'starting', startedAt: ago(1), silence: 900 },
    { ...WORKER, slot: 2, pid: 41_003, delay: 12.6, open: 10_240, cpuPercent: 0, memory: 84 << 20, paths: ['\0app'] },
  ],
  slots: [
    {
      ...{ slot: 0, restarts: 1, exits: { oom: 1 } },
      lastExit: {
        cause: 'oom',
        reason: 'was ended by SIGKILL, by the OOM killer of the kernel',
        ...{ pid: 40_001, generation: 2, at: ago(300) },
      },
    },
    { slot: 1, restarts: 0, exits: {} },
    { slot: 2, restarts: 0, exits: { told: 3 } },
    {
      ...{ slot: 3, restarts: 12, exits: { exit: 12 } },
      lastExit: { cause: 'exit', reason: 'ended with\u001b exit code 1', pid: -1, generation: 3, at: ago(2) },
    },
  ],
  lastReload: { generation: 3, at: ago(3600), failure: 'worker 1 ended with exit code 1 before it was ready' },
}
const EARLIER: Looked = {
  ...{ pid: 500, script: '/srv/old.js', state: 'running', generation: 1, startedAt: ago(60) },
  workers: [{ ...WORKER, slot: 0, pid: 501, generation: 1 }],
}

describe('status', () => {
  test.each([undefined, 120, 80, 40])('%s columns', (columns) => {
    const text = statusText([ALL, EARLIER], screen(columns), NOW)
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns ?? Number.POSITIVE_INFINITY)
    expect(text).toMatchSnapshot()
  })

  test('without supervisors', () => {
    expect(statusText([], screen(80), NOW)).toBe('No supervisor runs.\n')
  })

  test('where workers listen: ports, then paths, each once', () => {
    expect(placesText(ALL)).toBe('[::]:8080, udp 127.0.0.1:53, @app')
    const workers = [0, 1].map((slot) => ({ ...WORKER, slot, pid: 1, paths: ['/run/app.sock'] }))
    expect(placesText({ workers })).toBe('/run/app.sock')
  })

  const at = (clock: number, cpu: number, startedAt = ago(9)): SupervisorVitals => {
    const { slots = [] } = ALL
    return { ...EARLIER, clock, slots, workers: [{ ...WORKER, slot: 0, pid: 501, startedAt, cpu }] }
  }

  test('the share of a CPU is from two looks', () => {
    const share = (now: Looked): unknown => now.workers[0]?.cpuPercent
    expect(share(withShares(at(1500, 1250), [at(1000, 1000)]))).toBe(50)
    // Another worker with that pid; another supervisor; a supervisor that tells less; none before.
    expect(share(withShares(at(1500, 1250, ago(1)), [at(1000, 1000)]))).toBeUndefined()
    expect(share(withShares(at(1500, 1250), [{ ...at(1000, 1000), pid: 7 }]))).toBeUndefined()
    expect(share(withShares(at(1500, 1250), [EARLIER]))).toBeUndefined()
    expect(withShares(EARLIER, [at(1000, 1000)])).toBe(EARLIER)
    expect(share(withShares(at(1500, 1250), []))).toBeUndefined()
  })

  test('as JSON, and one that there is not', async () => {
    let written = ''
    const stream = { write: (text: string) => (written += text) } as unknown as NodeJS.WritableStream & {
      columns?: number
    }
    const out = { stream: stream as never, screen: () => screen(80) }
    fakes.vitals = () => Promise.resolve([at(1000, 1000)])
    expect(await status(['server', '--json'], out)).toBe(0)
    expect(JSON.parse(written).supervisors).toEqual([at(1000, 1000)])
    fakes.vitals = () => Promise.resolve([])
    await expect(status(['server'], out)).rejects.toThrow('there is no supervisor server')
    await expect(status(['1', '2'], out)).rejects.toThrow('status takes one pid, script or port, and got 2')
    written = ''
    expect(await status([], out)).toBe(0)
    expect(written).toBe('No supervisor runs.\n')
  })
})

describe('ls --check', () => {
  const member = (inode: number, pid: number | undefined, more: Partial<GroupMember> = {}): GroupMember =>
    ({ inode, pid, uid: 1, command: 'node server.js', queued: 0, backlog: 511, hidden: false, ...more }) as GroupMember
  const group = (port: number, ...members: readonly GroupMember[]): Group =>
    ({ protocol: 'tcp', family: 'IPv6', address: '::', port, members }) as unknown as Group
  const worker = { supervisor: 40, slot: 0, pid: 41, generation: 1, state: 'ready' }
  const workers = new Map([[7, worker]])
  const running = [{ ...EARLIER, pid: 40 }]

  test('all is well', () => {
    const groups = [group(8080, member(7, 41)), group(9090, member(9, 99))]
    expect(problemsOf({ groups, running, workers }, [8080, 9090])).toEqual([])
    expect(problemsOf({ groups, running, workers }, [])).toEqual([])
    expect(problemLines([])).toBe('')
  })

  test('nobody listens: there is no socket, or only a supervisor has it', () => {
    const groups = [group(8080, member(8, 40))]
    const problems = problemsOf({ groups, running, workers: new Map() }, [8080, 9090])
    expect(problemLines(problems)).toBe('nobody listens on port 8080\nnobody listens on port 9090\n')
    expect(problems[0]).toEqual({ problem: 'nobody-listens', text: 'nobody listens on port 8080', port: 8080 })
    const nobody = [{ problem: 'nobody-listens', text: 'nobody listens on any port' }]
    expect(problemsOf({ groups: [], running, workers }, [])).toEqual(nobody)
    // Of a process of another user nothing is known.
    expect(problemsOf({ groups: [group(1, member(8, undefined))], running, workers }, [1])).toEqual([])
  })

  test('full queues, and members that differ', () => {
    const full = member(7, 41, { queued: 511 })
    const groups = [
      group(8080, full, member(9, 42, { command: 'python3', queued: 510 }), member(10, 43, { backlog: 0 })),
    ]
    expect(problemsOf({ groups, running, workers }, [])).toEqual([
      { problem: 'members-differ', text: 'tcp [::]:8080: members differ in command', port: 8080 },
      { problem: 'queue-full', text: 'tcp [::]:8080: the queue of process 41 is full: 511/511', port: 8080, pid: 41 },
    ])
  })

  test('a worker hangs where it has not answered in time; one that starts does not', async () => {
    const silent = { ...EARLIER, workers: [HUNG, { ...HUNG, slot: 2, state: 'starting' }] }
    fakes.vitals = () => Promise.resolve([silent, { ...silent, pid: 7 }])
    const text = 'worker 1 (41002) of supervisor 500 has not answered for 0.1 s'
    expect(await hangsOf(new Set([500]), 100)).toEqual([{ problem: 'worker-hangs', text, pid: 41_002 }])
    let looks = 0
    fakes.vitals = () => Promise.resolve(++looks === 1 ? [silent] : [EARLIER])
    expect(await hangsOf(new Set([500]), 60_000)).toEqual([])
    expect(looks).toBe(2)
  })
})
