// What vitals and history are made of, without processes.
import { expect, test } from 'vitest'
import { causeOf, describeCause, EXIT_CAUSES } from '../../src/supervisor/exit-cause.js'
import { History } from '../../src/supervisor/history.js'
import type { WorkerExit } from '../../src/supervisor/launch.js'
import { OomKills } from '../../src/supervisor/oom-kills.js'
import { usageOf } from '../../src/supervisor/process-usage.js'
import { parseVitals, type SupervisorVitals } from '../../src/supervisor/vitals-protocol.js'
import { NO_LIST, NO_NUMBER, NO_OBJECT, NO_TEXT, withMember } from '../support/foreign-values.js'

const KILLED = { code: null, signal: 'SIGKILL', error: undefined } as const
const FAILED = { code: 1, signal: null, error: undefined } as const
const THREW = { code: 1, signal: null, error: new TypeError('x is not a function') } as const

test.each([
  ['told', FAILED, undefined, true],
  ['late', KILLED, 'late', true],
  ['not-ready', KILLED, 'not-ready', true],
  ['hang', { ...KILLED, signal: 'SIGABRT' }, 'hang', false],
  ['error', THREW, undefined, false],
  ['exit', FAILED, undefined, false],
  ['signal', { ...KILLED, signal: 'SIGSEGV' }, undefined, false],
] as const)('the cause is %s, and nobody asks for OOM kills', (cause, exit, killedFor, isExpected) => {
  const asked = (): never => {
    throw new Error('asked')
  }
  expect(causeOf(exit, killedFor, isExpected, asked)).toBe(cause)
})

test('a SIGKILL that the supervisor did not send: the OOM killer, where that has ended a process', () => {
  expect(causeOf(KILLED, undefined, false, () => true)).toBe('oom')
  expect(causeOf(KILLED, undefined, false, () => false)).toBe('signal')
})

test('each cause has its sentence', () => {
  const exits: Record<string, WorkerExit> = { exit: FAILED, error: THREW, told: FAILED }
  expect(Object.fromEntries(EXIT_CAUSES.map((cause) => [cause, describeCause(cause, exits[cause] ?? KILLED)]))).toEqual(
    {
      told: 'ended with exit code 1',
      exit: 'ended with exit code 1',
      error: 'threw TypeError: x is not a function',
      signal: 'was ended by SIGKILL, not by this supervisor',
      oom: 'was ended by SIGKILL, by the OOM killer of the kernel',
      hang: 'did not answer and was ended',
      'not-ready': 'did not listen in time and was ended',
      late: 'did not end in time when it was told to, and was killed',
    },
  )
  expect(describeCause('signal', { ...KILLED, signal: 'SIGSEGV' })).toBe('was ended by SIGSEGV')
})

const V2 = {
  '/proc/self/cgroup': '0::/app.slice/a.service\n',
  '/proc/self/mountinfo': '30 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
}
const V1 = {
  '/proc/self/cgroup': '5:devices:/\n4:memory:/app\n1:cpu:/other\n0::/\n',
  '/proc/self/mountinfo': `31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`,
}

test.each([
  ['2', V2, '/sys/fs/cgroup/app.slice/a.service/memory.events', 'low 0\nmax 77\noom 9\noom_kill ?\n'],
  ['2, counted above', V2, '/sys/fs/cgroup/app.slice/memory.events', 'oom_group_kill 9\noom_kill ?'],
  ['1', V1, '/sys/fs/cgroup/memory/app/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill ?\n'],
])('OOM kills of cgroups, version %s: each is told once', (_version, files, file, text) => {
  let count = 3
  const all: Record<string, string> = files
  const kills = new OomKills((name) => (name === file ? text.replace('?', String(count)) : all[name]))
  expect(kills.hasOneMore()).toBe(false)
  count = 5
  expect([kills.hasOneMore(), kills.hasOneMore(), kills.hasOneMore()]).toEqual([true, true, false])
})

test('where the kernel does not count OOM kills there are none', () => {
  const all: Record<string, string> = V2
  let text = 'oom 5'
  expect(new OomKills(() => undefined).hasOneMore()).toBe(false)
  const kills = new OomKills((name) => (name.endsWith('events') ? text : all[name]))
  text = 'oom 5\noom_kill 7'
  expect(kills.hasOneMore()).toBe(false)
})

test('the usage of a process, whatever its name is', () => {
  const files: Record<string, string> = {
    '/proc/7/stat': '7 (a) b (c\n) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15',
    '/proc/7/status': 'Name:\ta\nVmHWM:\t   900 kB\nVmRSS:\t   800 kB\n',
    '/proc/8/stat': 'nothing',
    '/proc/8/status': 'VmRSS: 800 pages',
  }
  expect(usageOf(7, (file) => files[file])).toEqual({ cpu: 3000, memory: 800 * 1024 })
  expect(usageOf(8, (file) => files[file])).toEqual({})
  expect(usageOf(9, (file) => files[file])).toEqual({})
})

test('a history: exits by cause, restarts, and the last end that nobody asked for', () => {
  const history = new History()
  const worker = { slot: 1, pid: 10, generation: 2 }
  const at = new Date(0)
  expect(history.of(1)).toEqual({ slot: 1, restarts: 0, exits: {} })
  history.exited(worker, { ...FAILED, cause: 'exit' }, at)
  history.restarted(1)
  history.exited({ ...worker, pid: 11 }, { ...KILLED, cause: 'oom' }, at)
  history.restarted(1)
  history.exited({ ...worker, pid: 12 }, { ...KILLED, cause: 'told' }, at)
  const reason = 'was ended by SIGKILL, by the OOM killer of the kernel'
  const lastExit = { cause: 'oom', reason, pid: 11, generation: 2, at: '1970-01-01T00:00:00.000Z' }
  expect(history.of(1)).toEqual({ slot: 1, restarts: 2, exits: { exit: 1, oom: 1, told: 1 }, lastExit })
  expect(history.of(0)).toEqual({ slot: 0, restarts: 0, exits: {} })
})

test('texts without an end are cut, so that whoever asks can read the answer', () => {
  const history = new History()
  const error = new Error('x'.repeat(100_000))
  history.exited({ slot: 0, pid: 10, generation: 1 }, { code: null, signal: null, error, cause: 'error' }, new Date(0))
  history.reloaded(2, error, new Date(0))
  const { lastReload } = history
  const told = { ...VITALS, slots: [history.of(0)], ...(lastReload !== undefined && { lastReload }) }
  const read = parseVitals(JSON.parse(JSON.stringify(told)))
  expect(read.slots[0]?.lastExit?.reason).toMatch(/^could not be started \(x+$/)
  expect(read.lastReload?.failure).toMatch(/^x+$/)
})

test('a history of reloads has the last one', () => {
  const history = new History()
  history.reloaded(2, 1234.4, new Date(0))
  expect(history.lastReload).toEqual({ generation: 2, at: '1970-01-01T00:00:00.000Z', duration: 1234 })
  history.reloaded(3, new Error('worker 1 threw'), new Date(1))
  expect(history.lastReload).toEqual({ generation: 3, at: '1970-01-01T00:00:00.001Z', failure: 'worker 1 threw' })
})

const at = '2026-01-02T03:04:05.678Z'
const VITALS: SupervisorVitals = {
  pid: 5,
  script: '/srv/server.js',
  state: 'running',
  generation: 2,
  startedAt: at,
  places: [{ protocol: 'udp', address: '::', port: 53 }],
  workers: [
    {
      slot: 0,
      pid: 6,
      generation: 2,
      state: 'ready',
      startedAt: at,
      sockets: [7],
      silence: 900,
      cpu: 10,
      memory: 1024,
    },
    {
      ...{ slot: 1, pid: 8, generation: 2, state: 'ready', startedAt: at, sockets: [], delay: 0.5, open: 3, cpu: 10.5 },
      ...{ memory: 1024, queued: 1, backlog: 511 },
    },
  ],
  clock: 1000,
  cpu: 30,
  memory: 2048,
  slots: [
    { slot: 0, restarts: 0, exits: {} },
    {
      ...{ slot: 1, restarts: 3, exits: { exit: 2, oom: 1 } },
      lastExit: { cause: 'oom', reason: 'was ended', pid: 9, generation: 1, at },
    },
  ],
  lastReload: { generation: 2, at, duration: 800 },
}

test('vitals round trip; what this version does not know is left out', () => {
  const { cpu, lastReload, memory, ...least } = VITALS
  const failed = { generation: 2, at, failure: 'no' }
  for (const vitals of [VITALS, least, { ...VITALS, lastReload: failed }]) {
    const foreign = {
      ...vitals,
      more: 1,
      slots: vitals.slots.map((one) => ({ ...one, exits: { ...one.exits, new: 1 } })),
    }
    expect(parseVitals(JSON.parse(JSON.stringify(foreign)))).toStrictEqual(vitals)
  }
  // Nothing was started.
  expect(parseVitals(withMember(VITALS, 'slots.1.lastExit.pid', -1)).slots[1]?.lastExit?.pid).toBe(-1)
})

test.each([
  ['workers.1.delay', NO_NUMBER.slice(1), 'delay is not a number'],
  ['workers.0.silence', NO_NUMBER.slice(1), 'silence is not a number'],
  ['clock', [...NO_NUMBER, 0.5], 'clock is not a whole number'],
  ['memory', NO_NUMBER.slice(1), 'memory is not a number'],
  ['slots', [...NO_LIST, new Array(4097)], 'slots is not a list of at most 4096'],
  ['slots.0', NO_OBJECT.slice(1), 'slots is not an object'],
  ['slots.1.exits', NO_OBJECT, 'slots.exits is not an object'],
  ['slots.1.exits.oom', NO_NUMBER.slice(1), 'slots.exits is not a whole number'],
  ['slots.1.lastExit', NO_OBJECT.slice(1), 'lastExit is not an object'],
  ['slots.1.lastExit.reason', [...NO_TEXT, 'x'.repeat(4097)], 'lastExit.reason is not text of at most 4096 characters'],
  ['slots.1.lastExit.at', [...NO_TEXT, 'today'], 'lastExit.at is not a time'],
  ['lastReload.failure', NO_TEXT.slice(1), 'lastReload.failure is not text of at most 4096 characters'],
  ['places.0.protocol', [...NO_TEXT, 'sctp'], 'places.protocol is unknown'],
  ['places.0.port', [...NO_NUMBER, 0.5], 'places.port is not a whole number'],
])('%s is checked', (path, values, reason) => {
  for (const value of values) expect(() => parseVitals(withMember(VITALS, path, value)), String(value)).toThrow(reason)
})
