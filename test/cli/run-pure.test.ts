// The parts of `reuseport run` and `ls` that need no process: what is typed, what is told, whose sockets are whose.
import { EventEmitter } from 'node:events'
import process from 'node:process'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { UsageError } from '../../src/cli/arguments.js'
import { othersText } from '../../src/cli/others-text.js'
import { progressText, sayProgress } from '../../src/cli/progress.js'
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
  generation = 2
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
    [['--workers', '2'], "A script is missing: --workers has taken '2' for its value"],
    [['--cwd', 'app.js'], "A script is missing: --cwd has taken 'app.js' for its value"],
    [['--cwd=app'], 'A script is missing: reuseport run server.js'],
    [['--max-restarts', '-', 'app.js'], "--max-restarts takes a whole number, not '-'"],
    [['--grace', '5w', 'app.js'], "--grace takes a time such as 500ms, 10s, 2m or 12h, not '5w'"],
    [['--steering', 'fair', 'app.js'], "--steering takes one of hash, random, cpu, client, not 'fair'"],
    [['--balance', 'load', 'app.js'], "--balance takes one of connections, not 'load'"],
    [['--fallback', 'none', 'app.js'], "--fallback takes one of error, exclusive, not 'none'"],
    [['--health', 'healthz', 'app.js'], "--health takes a path of the program such as /healthz, not 'healthz'"],
    [['--max-memory', '512', 'app.js'], "--max-memory takes a size such as 512M or 1.5G, not '512'"],
    [['--pn', 'app.js'], 'There is no option --pn. Did you mean --pin?'],
    [['--zzzzzz', 'app.js'], /^There is no option --zzzzzz$/],
    [['-x', 'app.js'], /^There is no option -x$/],
    [['--pin=yes', 'app.js'], "--pin takes no value, and got 'yes'"],
    [['--grace'], '--grace needs a value, and none follows'],
    [['--grace='], '--grace needs a value, and none follows'],
    [['-n'], '-n (--workers) needs a value, and none follows'],
    [['-n', '--pin', 'app.js'], "-n (--workers) needs a value, and '--pin' follows (a value that begins so: --workers"],
    [['-n=4', 'app.js'], "-n takes its value without '=': -n 4"],
    [['-i', '4', 'app.js'], 'There is no option -i: -n 4 starts 4 workers, -n auto one per CPU'],
    [['--instances=max', 'app.js'], 'There is no option --instances: -n 4 starts 4 workers'],
    [['-v'], 'There is no option -v: reuseport --version prints the version'],
    [['--port', '80', 'app.js'], 'There is no option --port: the program chooses its port'],
    [['-d', 'app.js'], 'There is no option -d: run stays in the foreground'],
    [['--ignore-watch', 'x', 'app.js'], 'There is no option --ignore-watch: --watch-ignore <what>'],
    [['--constructor', 'app.js'], /^There is no option --constructor$/],
  ] as const)('%j is refused', (words, message) => {
    expect(() => parseRunArguments(words)).toThrow(UsageError)
    expect(() => parseRunArguments(words)).toThrow(message)
  })
})

describe('options after the script', () => {
  const doubts = (words: string) => {
    const parsed = parseRunArguments(words.split(' '))
    return parsed === 'help' ? parsed : parsed.doubts
  }

  test.each([
    ['app.js -n 4', '-n 4'],
    ['--pin app.js -n4 --watch', '-n 4 --watch'],
    ['app.js --workers=2 x --port 80', '--workers 2'],
    ['app.js -i max', '-i'],
    ['app.js --help', '--help'],
  ])('%s', (words, shown) => {
    expect(doubts(words)).toEqual([
      `${shown} after app.js goes to the program: options of reuseport run come before the script (reuseport run -- app.js … says that it is meant)`,
    ])
  })

  test.each(['app.js', 'app.js --port 80 -x', '-- app.js -n 4', 'app.js -- -n 4', '-n 4 app.js n --constructor'])(
    'none of them: %s',
    (words) => expect(doubts(words)).toEqual([]),
  )
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
      told.emit('worker:exit', worker, { ...exit, isExpected: false, cause: 'exit' })
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
    const lines = narrated((told) => told.emit('worker:exit', worker, { ...exit, isExpected: true, cause: 'told' }))
    expect(lines).toEqual([
      expect.stringMatching(`^reuseport PID: worker 1 .*52.* failed when it was told to end: ${how}$`),
    ])
  })

  const listen = {
    code: 'EADDRINUSE',
    address: '::',
    port: 80,
    hint: 'Process 7 of user root (x\x1b) has the port: stop it',
  }
  const failed = { code: 1, signal: null, error: undefined, isExpected: false, listen }

  test('one that cannot listen, when it died while it served', () => {
    expect(narrated((told) => told.emit('worker:exit', worker, failed))).toEqual([
      'reuseport PID: worker 1 (52) could not listen on [::]:80 (EADDRINUSE): process 7 of user root (x?) has the port: stop it',
    ])
  })

  test.each(['starting', 'reloading'] as const)('nothing is said twice: %s', (state) => {
    const lines = narrated((told) => {
      told.state = state
      told.emit('worker:exit', worker, failed)
      told.emit('worker:exit', worker, { ...failed, isExpected: true })
    })
    expect(lines).toEqual([])
  })

  test('an end as it was told to', () => {
    const lines = narrated((told) => {
      // 130, 131 and 143 tell the signal as shells do.
      for (const code of [0, 130, 131, 143])
        told.emit('worker:exit', worker, { code, signal: null, error: undefined, isExpected: true, cause: 'told' })
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'])
        told.emit('worker:exit', worker, { code: null, signal, error: undefined, isExpected: true, cause: 'told' })
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

  test('on a terminal, what another Ctrl-C does', () => {
    const lines = narrated((told) => told.emit('stopping', undefined), { columns: 80, rows: 24, coloured: false })
    expect(lines).toEqual(['reuseport PID: drains 1 worker and ends (Ctrl-C again, a second later: ends them at once)'])
  })

  test('who else is there', () => {
    const startedAt = new Date(Date.now() - 7_200_000)
    const others = { address: '::', family: 'IPv6', port: 80, supervisors: [], orphans: [], strangers: [] } as const
    const lines = narrated((told) => {
      told.emit('others', { ...others, supervisors: [{ pid: 7, script: '/srv/a\x1b.js', startedAt }] })
    })
    expect(lines).toEqual([
      'reuseport PID: not alone on [::]:80: supervisor 7 (/srv/a?.js, up 2h). Was it started twice? A start with --replace drains and ends that supervisor',
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

describe('who else is on a port', () => {
  const place = { address: '127.0.0.1', family: 'IPv4', port: 80 } as const
  const up = (seconds: number) => new Date(1e6 - seconds * 1000)
  const text = (others: Partial<Parameters<typeof othersText>[0]>): string =>
    othersText({ ...place, supervisors: [], orphans: [], strangers: [], ...others }, 1e6)

  test('supervisors, orphans, strangers', () => {
    const supervisors = [{ pid: 7, script: undefined, startedAt: undefined }]
    const orphans = [
      { pid: 8, startedAt: up(5) },
      { pid: 9, startedAt: up(60) },
    ]
    const strangers = [
      { pid: 10, command: `python3 ${'x'.repeat(80)}`, startedAt: up(1) },
      { pid: undefined, command: undefined, startedAt: undefined },
    ]
    const all = 'supervisor 7; 2 orphans of a supervisor that has died (8, 9, up 1m); process 10 (python3 '
    const rest =
      '…, up 1s); a process that this user cannot see. Was it started twice? A start with --replace drains and ends '
    expect(text({ supervisors, orphans, strangers })).toBe(
      `not alone on 127.0.0.1:80: ${all}${'x'.repeat(51)}${rest}that supervisor and the orphans`,
    )
    expect(text({ orphans: orphans.slice(0, 1) })).toBe(
      'not alone on 127.0.0.1:80: an orphan of a supervisor that has died (8, up 5s). A start with --replace drains and ends the orphans',
    )
    expect(text({ strangers: strangers.slice(1) })).toBe(
      'not alone on 127.0.0.1:80: a process that this user cannot see. Connections go there too',
    )
  })

  test('many are not all named', () => {
    const many = Array.from({ length: 20 }, (_, pid) => ({ pid, command: undefined, startedAt: undefined }))
    expect(text({ strangers: many })).toMatch(/process 7; 12 more\. Connections/)
    expect(text({ orphans: many })).toMatch(
      /20 orphans of a supervisor that has died \(0, 1, 2, 3, 4, 5, 6, 7 and more\)/,
    )
  })
})

describe('how far it has come', () => {
  afterEach(() => vi.useRealTimers())

  const at = (slot: number, state: WorkerInfo['state'], generation = 2, startedAt = new Date(0)): WorkerInfo => ({
    ...worker,
    slot,
    state,
    generation,
    startedAt,
    pid: 100 + slot,
  })

  test.each([
    [
      'starting',
      [at(0, 'ready'), at(1, 'ready'), at(2, 'starting'), at(3, 'starting')],
      '2 of 4 ready, waiting for workers 2, 3: 6 s',
    ],
    ['starting', [at(0, 'starting', 2, new Date(4000))], '0 of 1 ready, waiting for worker 0: 2 s'],
    [
      'starting',
      Array.from({ length: 9 }, (_, slot) => at(slot, 'starting')),
      '0 of 9 ready, waiting for workers 0, 1, 2, 3, 4 and 4 more: 6 s',
    ],
    ['starting', [at(0, 'ready')], undefined],
    ['running', [at(0, 'starting')], undefined],
    [
      'reloading',
      [at(0, 'ready'), at(1, 'ready', 1), at(1, 'starting')],
      'reload: 1 of 2 replaced, waiting for worker 1 to be ready: 6 s',
    ],
    [
      'reloading',
      [at(0, 'ready'), at(0, 'leaving', 1), at(1, 'ready', 1)],
      'reload: 1 of 2 replaced, waiting for old worker 0 (100) to drain and end: 4 s',
    ],
    ['reloading', [at(0, 'ready')], undefined],
    ['stopping', [at(0, 'leaving'), at(3, 'leaving')], 'waiting for workers 0, 3 to drain and end: 4 s'],
    ['stopping', [], undefined],
  ] as const)('%s', (state, workers, text) => {
    expect(progressText({ state, workers, generation: 2 }, 6000, 4000)).toBe(text)
  })

  test('is said after 3 s, then less often, and no more when it is done', () => {
    vi.useFakeTimers({ now: 0 })
    const told = new Told()
    const lines: string[] = []
    sayProgress(told as unknown as Supervisor, (line) => lines.push(line))
    told.state = 'starting'
    told.workers = [at(0, 'starting')]
    told.emit('worker:start', worker)
    vi.advanceTimersByTime(2999)
    expect(lines).toEqual([])
    vi.advanceTimersByTime(40_000)
    const seconds = () => lines.map((line) => /: (\d+) s$/.exec(line)?.[1])
    expect(seconds()).toEqual(['3', '9', '21', '33'])
    told.state = 'running'
    vi.advanceTimersByTime(60_000)
    expect(lines).toHaveLength(4)
    told.state = 'stopping'
    told.workers = [at(0, 'leaving')]
    told.emit('stopping', undefined)
    vi.advanceTimersByTime(3000)
    expect(lines.at(-1)).toBe('waiting for worker 0 to drain and end: 3 s')
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

  test('the command of a worker is its own where somebody else was seen to hold its socket', () => {
    const workers = workersByInode([status])
    const commandOf = (pid: number) => `node --require /x/register.js app.js ${pid}`
    const [named] = namingWorkers([group(member(10, 40))], [status], workers, commandOf)
    expect(named?.members).toMatchObject([{ pid: 52, command: 'node app.js 52' }])
  })

  test('an orphan has the command of its program', () => {
    const orphan = member(12, 60, '/usr/bin/node --require /x/register.js app.js')
    const [named] = namingWorkers([group(orphan)], [], workersByInode([]))
    expect(named?.members).toMatchObject([{ pid: 60, command: '/usr/bin/node app.js' }])
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
    const deep = { ...all, script: '/srv/releases/2026-11-27/app.js' }
    const screen = { columns: 64, rows: 24, coloured: false }
    expect(supervisorLines([deep], screen, now)).toBe('supervisor 40  running, generation 2, 1 ready, 2h  …/app.js\n')
  })
})
