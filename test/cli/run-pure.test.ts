// The parts of `reuseport run` and `ls` that need no process: what is typed, what is told, whose sockets are whose.
import { EventEmitter } from 'node:events'
import process from 'node:process'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/cli/arguments.js'
import { parseRunArguments } from '../../src/cli/run-arguments.js'
import { narrate, narrateAsJson } from '../../src/cli/run-narration.js'
import { namingWorkers, supervisorLines, workersByInode } from '../../src/cli/supervised.js'
import type { Screen } from '../../src/cli/terminal.js'
import type { Group, GroupMember } from '../../src/index.js'
import type { Supervisor, SupervisorState, WorkerInfo } from '../../src/supervisor.js'

const PLAIN: Screen = { columns: undefined, rows: undefined, coloured: false }
const COLOURED: Screen = { columns: 60, rows: 24, coloured: true }

const worker: WorkerInfo = {
  slot: 1,
  pid: 52,
  threadId: undefined,
  generation: 2,
  state: 'ready',
  startedAt: new Date(0),
}

/** As much of a supervisor as who listens to it needs. */
class Told extends EventEmitter {
  state: SupervisorState = 'running'
  workers: readonly WorkerInfo[] = [worker]
}

describe('what is typed', () => {
  test('times, counts and names', () => {
    const words =
      '--workers 3 --grace 500ms --drain-timeout 2m --ready-timeout 1.5 --hang-timeout 10s --max-restarts Infinity'
    const more =
      '--steering cpu --balance connections --fallback exclusive --pin --threads --one-socket --watch --replace --json --prefix --watch-ignore *.log --watch-ignore=out'
    const parsed = parseRunArguments([...words.split(' '), ...more.split(' '), 'app.js', '--workers', '9'])
    expect(parsed).toMatchObject({
      json: true,
      prefix: true,
      options: {
        script: 'app.js',
        args: ['--workers', '9'],
        workers: 3,
        grace: 500,
        drainTimeout: 120_000,
        readyTimeout: 1500,
        hangTimeout: 10_000,
        maxRestarts: Number.POSITIVE_INFINITY,
        steering: 'cpu',
        balance: 'connections',
        fallback: 'exclusive',
        pin: true,
        threads: true,
        oneSocket: true,
        watch: true,
        watchIgnore: ['*.log', 'out'],
        replace: true,
        output: 'pipe',
      },
    })
  })

  test('nothing but a script, after -- too', () => {
    for (const words of [['app.js'], ['--', 'app.js'], ['-n', 'auto', 'app.js']]) {
      const parsed = parseRunArguments(words)
      expect(parsed).toMatchObject({ json: false, prefix: false, options: { script: 'app.js', args: [] } })
    }
    expect(parseRunArguments(['-n', 'auto', 'app.js'])).toMatchObject({ options: { workers: 'auto' } })
    expect(parseRunArguments(['--max-restarts', '3', 'app.js'])).toMatchObject({ options: { maxRestarts: 3 } })
    expect(parseRunArguments(['--grace', '10s', 'app.js'])).toMatchObject({ options: { grace: 10_000 } })
  })

  test('when a worker is replaced, and whether a new one is good', () => {
    const words = '--health /healthz --soak 30s --max-memory 1.5g --max-age 12h --max-age-jitter 1d app.js'
    expect(parseRunArguments(words.split(' '))).toMatchObject({
      options: {
        health: '/healthz',
        soak: 30_000,
        maxMemory: 1.5 * 2 ** 30,
        maxAge: 43_200_000,
        maxAgeJitter: 86_400_000,
      },
    })
    for (const size of ['512M', '512MB', '512MiB', '524288k']) {
      expect(parseRunArguments(['--max-memory', size, 'app.js'])).toMatchObject({ options: { maxMemory: 2 ** 29 } })
    }
  })

  test('help', () => {
    expect(parseRunArguments(['--help'])).toBe('help')
    expect(parseRunArguments(['-h', 'app.js'])).toBe('help')
  })

  test.each([
    [[], 'A script is missing'],
    [['--'], 'A script is missing'],
    [['--workers', 'two', 'app.js'], "--workers takes a whole number, or 'auto', not 'two'"],
    [['--max-restarts', '-', 'app.js'], "--max-restarts takes a whole number, not '-'"],
    [['--grace', '5w', 'app.js'], "--grace takes a time such as 500ms, 10s, 2m or 12h, not '5w'"],
    [['--steering', 'fair', 'app.js'], "--steering takes one of hash, random, cpu, client, not 'fair'"],
    [['--balance', 'load', 'app.js'], "--balance takes one of connections, not 'load'"],
    [['--fallback', 'none', 'app.js'], "--fallback takes one of error, exclusive, not 'none'"],
    [['--health', 'healthz', 'app.js'], "--health takes a path of the program such as /healthz, not 'healthz'"],
    [['--max-memory', '512', 'app.js'], "--max-memory takes a size such as 512M or 1.5G, not '512'"],
    [['--pn', 'app.js'], 'There is no option --pn. Did you mean --pin?'],
    [['--zzzzzz', 'app.js'], /^There is no option --zzzzzz$/],
    [['--pin=yes', 'app.js'], /--pin.* does not take an argument/],
    [['--grace'], /--grace/],
  ] as const)('%j is refused', (words, message) => {
    expect(() => parseRunArguments(words)).toThrow(UsageError)
    expect(() => parseRunArguments(words)).toThrow(message)
  })
})

describe('what is told', () => {
  function narrated(tell: (told: Told) => void, screen = PLAIN): string[] {
    const told = new Told()
    const lines: string[] = []
    narrate(told as unknown as Supervisor, (line) => lines.push(line), screen)
    tell(told)
    return lines.map((line) => line.replaceAll(String(process.pid), 'PID'))
  }

  const where = (address: string, family: 'IPv4' | 'IPv6', port: number) => ({
    address,
    family,
    port,
    isTakenOver: false,
  })
  const thread = { ...worker, threadId: 7 }

  test('the start, with each port once', () => {
    const lines = narrated((told) => {
      told.state = 'starting'
      told.emit('worker:listening', worker, where('::', 'IPv6', 80))
      told.emit('worker:listening', worker, where('::', 'IPv6', 80))
      told.emit('worker:path', worker, '/run/app.sock')
      told.emit('worker:path', worker, '/run/app.sock')
      told.emit('worker:ready', worker)
      told.state = 'running'
      told.emit('running', 1)
      told.emit('worker:listening', worker, where('127.0.0.1', 'IPv4', 81))
      told.emit('worker:listening', worker, where('127.0.0.1', 'IPv4', 81))
      told.emit('worker:path', worker, '\0app')
      told.emit('worker:path', worker, '\0app')
    })
    expect(lines).toEqual([
      'reuseport PID: 1 worker on [::]:80, /run/app.sock: 52',
      'reuseport PID: also listens on 127.0.0.1:81',
      'reuseport PID: also listens on @app',
    ])
  })

  test('no port', () => {
    expect(narrated((told) => told.emit('running', 2))).toEqual(['reuseport PID: 2 workers on no port: 52'])
  })

  test.each([
    [8, { limit: 'cpus', cpus: 8 }, '8 workers: one for each CPU'],
    [1, { limit: 'affinity', cpus: 8 }, '1 worker: the affinity allows no more of 8 CPUs'],
    [
      2,
      { limit: 'quota', cpus: 8, quota: 2.6666, cgroup: '/sys/fs/cgroup/a\x1bb' },
      '2 workers: the CPU quota in /sys/fs/cgroup/a?b is 2.67 of 8 CPUs',
    ],
    [1024, { limit: 'most', cpus: 1500 }, '1024 workers: the most there can be, on 1500 CPUs'],
  ] as const)('where the number of workers comes from: %i, %j', (workers, from, line) => {
    expect(narrated((told) => told.emit('workers:auto', workers, from))).toEqual([`reuseport PID: starts ${line}`])
  })

  test.each([
    [{ code: 1, signal: null, error: undefined }, 'exit code 1'],
    [{ code: null, signal: 'SIGKILL', error: undefined }, 'SIGKILL'],
    [{ code: null, signal: null, error: new Error('spawn ENOENT') }, 'spawn ENOENT'],
  ])('a death: %j', (exit, how) => {
    const lines = narrated((told) => {
      told.emit('worker:exit', worker, { ...exit, isExpected: false })
      told.emit('worker:restart', 1, { delay: 0, earlyDeaths: 0 })
      told.emit('worker:restart', 1, { delay: 200, earlyDeaths: 2 })
    })
    expect(lines).toEqual([
      expect.stringMatching(`^reuseport PID: worker 1 .*52.* died: ${how}$`),
      'reuseport PID: worker 1 restarts',
      'reuseport PID: worker 1 restarts in 200 ms (early death 2 in a row)',
    ])
  })

  test.each([
    [{ code: 1, signal: null, error: undefined }, 'exit code 1'],
    [{ code: 139, signal: null, error: undefined }, 'exit code 139'],
    [{ code: null, signal: 'SIGSEGV', error: undefined }, 'SIGSEGV'],
    [{ code: 1, signal: null, error: new Error('out\nof memory') }, 'out of memory'],
  ])('a failure on the way out: %j', (exit, how) => {
    const lines = narrated((told) => told.emit('worker:exit', worker, { ...exit, isExpected: true }))
    expect(lines).toEqual([
      expect.stringMatching(`^reuseport PID: worker 1 .*52.* failed when it was told to end: ${how}$`),
    ])
  })

  test('an end as it was told to', () => {
    const lines = narrated((told) => {
      // 130, 131 and 143 tell the signal as shells do.
      for (const code of [0, 130, 131, 143])
        told.emit('worker:exit', worker, { code, signal: null, error: undefined, isExpected: true })
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'])
        told.emit('worker:exit', worker, { code: null, signal, error: undefined, isExpected: true })
    })
    expect(lines).toEqual([])
  })

  test('a reload', () => {
    const lines = narrated((told) => {
      told.emit('watch:change', ['a\x1b.js'])
      told.emit('watch:change', ['a.js', 'b.js', 'c.js'])
      told.emit('reload:start', 3)
      told.emit('worker:ready', worker)
      told.state = 'reloading'
      told.emit('worker:ready', thread)
      told.emit('worker:drained', worker, { lossless: true, reason: undefined })
      told.emit('worker:drained', worker, { lossless: false, reason: '2 connections' })
      told.emit('reload:soak', worker, 30_000)
      told.emit('worker:recycle', worker, { why: 'memory', memory: 600 << 20, limit: 512 << 20 })
      told.emit('worker:recycle', worker, { why: 'age', age: 61_400, limit: 60_000 })
      told.emit('reload:done', 3, 1234)
      told.emit('reload:failed', 4, new Error('it throws'))
      told.emit('scaled', 3)
    })
    expect(lines.map((line) => line.replace(/^reuseport PID: /, ''))).toEqual([
      'a?.js changed',
      'a.js and 2 more files changed',
      'reload: generation 3 starts',
      expect.stringMatching(/^worker 1 .*thread 7.* is ready$/),
      expect.stringMatching(/ lost connections when it left: 2 connections$/),
      expect.stringMatching(/^worker \d \(\d+\) serves beside the one before it for 30 s \(--soak\)$/),
      expect.stringMatching(/ is replaced: it has 600M of memory \(--max-memory 512M\)$/),
      expect.stringMatching(/ is replaced: it has served for 61 s \(--max-age 60s\)$/),
      'reload: generation 3 serves, after 1.2 s',
      'reload failed: it throws',
      'scaled to 3 workers',
    ])
  })

  test('who was there before, and the end', () => {
    const lines = narrated((told) => {
      told.emit('replaced', { ended: [], strangers: [], late: [] })
      told.emit('replaced', { ended: [1, 2], strangers: [3], late: [4] })
      told.emit('warning', 'mind this')
      told.emit('stopping', undefined)
      told.emit('stopping', new Error('too often'))
    })
    expect(lines.map((line) => line.replace(/^reuseport PID: /, ''))).toEqual([
      'replaced the earlier processes: 1, 2',
      'earlier processes that did not end in time and may still serve: 4',
      'processes on the same port that reuseport run did not start, and leaves: 3',
      'mind this',
      'drains 1 worker and ends',
      'gives up: too often',
      'drains 1 worker and ends',
    ])
  })

  test('on a terminal with colours', () => {
    const [line = ''] = narrated((told) => told.emit('warning', 'mind this'), COLOURED)
    expect(line).toContain('\x1b[33mmind this\x1b[0m')
  })

  test('as JSON, a line for each event with its fields by name', () => {
    const told = new Told()
    const lines: string[] = []
    narrateAsJson(told as unknown as Supervisor, (line) => lines.push(line))
    told.emit('workers:auto', 1, { limit: 'affinity', cpus: 2 })
    told.emit('worker:path', worker, '/run/app.sock')
    told.emit('worker:ready', worker)
    told.emit('worker:exit', worker, { code: 1, error: Object.assign(new Error('gone'), { code: 'EGONE' }) })
    told.emit('reload:failed', 2, new Error('it throws'))
    told.emit('stopping', undefined)
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(parsed).toMatchObject([
      { event: 'workers:auto', workers: 1, from: { limit: 'affinity', cpus: 2 } },
      { event: 'worker:path', worker: { slot: 1, pid: 52 }, path: '/run/app.sock' },
      { event: 'worker:ready', supervisor: process.pid, worker: { slot: 1, pid: 52 } },
      { event: 'worker:exit', exit: { code: 1, error: { message: 'gone', code: 'EGONE' } } },
      { event: 'reload:failed', generation: 2, error: { message: 'it throws' } },
      { event: 'stopping' },
    ])
    for (const { time } of parsed) expect(time).toMatch(/^\d{4}-\d\d-\d\dT/)
  })
})

describe('whose socket is whose', () => {
  const startedAt = new Date(86_400_000).toISOString()
  const status = {
    pid: 40,
    script: '/srv/app.js',
    state: 'running',
    generation: 2,
    startedAt,
    workers: [
      { slot: 0, pid: 52, generation: 2, state: 'ready', startedAt, sockets: [10, 11] },
      { slot: 0, pid: 51, generation: 1, state: 'leaving', startedAt, sockets: [10] },
    ],
  }

  function member(inode: number, pid: number, command: string | undefined = 'node x'): GroupMember {
    return { inode, pid, command, port: 80, queued: 0, backlog: 1, drops: 0 } as unknown as GroupMember
  }

  const group = (...members: GroupMember[]): Group => ({ members }) as unknown as Group

  test('the newest worker of a socket is the one', () => {
    expect(workersByInode([status]).get(10)).toMatchObject({ supervisor: 40, pid: 52, generation: 2 })
  })

  test('a socket that the supervisor holds is its worker’s', () => {
    const workers = workersByInode([status])
    const command = 'node --import /x/register.js app.js'
    const [named] = namingWorkers([group(member(10, 40), member(11, 52, command), member(99, 7))], [status], workers)
    expect(named?.members).toMatchObject([
      { pid: 52, command: '/srv/app.js', startedAt: new Date(startedAt) },
      { pid: 52, command: 'node app.js' },
      { pid: 7, command: 'node x' },
    ])
  })

  test('of a supervisor that has gone meanwhile nothing is made up', () => {
    const workers = workersByInode([status])
    const [named] = namingWorkers([group(member(10, 40))], [], workers)
    expect(named?.members[0]).toMatchObject({ pid: 52, command: undefined, startedAt: undefined })
    const [bare] = namingWorkers([group({ ...member(11, 52), command: undefined })], [status], workers)
    expect(bare?.members[0]?.command).toBe(undefined)
  })

  test('a line for each supervisor', () => {
    const now = Date.parse(startedAt) + 7_200_000
    expect(supervisorLines([status], PLAIN, now)).toBe(
      'supervisor 40  running, generation 2, 1 of 2 ready, 2h  /srv/app.js\n',
    )
    const paths = ['/run/a\x1b.sock', '\0app']
    const workers = status.workers.map((one, slot) => ({ ...one, slot, paths: paths.slice(slot) }))
    const onPaths = { ...status, workers }
    const lines = ['supervisor 40  running, gen', '  unix /run/a?.sock  workers 0', '  unix @app  workers 0 1']
    const told = supervisorLines([onPaths], PLAIN, now).split('\n')
    expect(told).toEqual([expect.stringContaining(lines[0] ?? ''), ...lines.slice(1), ''])
    const all = { ...status, workers: status.workers.slice(0, 1) }
    const line = supervisorLines([all], COLOURED, now)
    expect(line.startsWith('\x1b[1msupervisor 40\x1b[0m  running, generation 2, 1 ready, 2h')).toBe(true)
  })
})
