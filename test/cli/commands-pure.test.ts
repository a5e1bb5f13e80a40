// `reuseport reload`, `ls` and `run` up to what they ask of others: which supervisor, when to look again, how it ends.
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UsageError } from '../../src/cli/arguments.js'
import { ls } from '../../src/cli/ls.js'
import { RELOAD_HELP, reload } from '../../src/cli/reload.js'
import { RUN_HELP, run } from '../../src/cli/run.js'
import type { Screen } from '../../src/cli/terminal.js'
import { ControlError } from '../../src/supervisor.js'

const fakes = vi.hoisted(() => ({
  reload: (_which: number | string | undefined, _warn: (text: string) => void): Promise<void> => Promise.resolve(),
  start: (_supervisor: unknown): Promise<void> => Promise.resolve(),
  construct: (): void => {},
}))

vi.mock('../../src/supervisor.js', async (load) => {
  const real = await load<typeof import('../../src/supervisor.js')>()
  const { EventEmitter } = await import('node:events')
  class FakeSupervisor extends EventEmitter {
    workers = []
    closed = Promise.resolve()
    stop = vi.fn().mockResolvedValue(undefined)
    kill = vi.fn()
    constructor() {
      super()
      fakes.construct()
    }
    start(): Promise<void> {
      return fakes.start(this)
    }
  }
  return {
    ...real,
    Supervisor: FakeSupervisor,
    reloadSupervisor: (...args: Parameters<typeof fakes.reload>) => fakes.reload(...args),
  }
})

let stdout: string
let stderr: string

beforeEach(() => {
  ;[stdout, stderr] = ['', '']
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
})

afterEach(() => {
  Object.assign(fakes, {
    reload: () => Promise.resolve(),
    start: () => Promise.resolve(),
    construct: () => {},
  })
  vi.restoreAllMocks()
})

describe('reload', () => {
  test('help', async () => {
    expect(await reload(['-h'])).toBe(0)
    expect(stdout).toBe(`${RELOAD_HELP}\n`)
  })

  test('the only one, or the one that is named; what is wrong with others is told without control characters', async () => {
    const asked: unknown[] = []
    fakes.reload = async (pid, warn) => {
      asked.push(pid)
      warn('process 7: \u001b[2Jnonsense')
    }
    expect(await reload([])).toBe(0)
    expect(await reload(['12'])).toBe(0)
    expect(asked).toEqual([undefined, '12'])
    expect(stdout).toMatch(/^(The new workers serve, after \d+\.\d s\.\n){2}$/)
    expect(stderr).toBe('reuseport: process 7: ?[2Jnonsense\n'.repeat(2))
  })

  test('wrong usage', async () => {
    await expect(reload(['11', '12'])).rejects.toThrow(
      new UsageError('reload takes one pid, script or port, and got 2'),
    )
    await expect(reload(['--jso'])).rejects.toThrow('There is no option --jso. Did you mean --json?')
  })

  test.each([
    [new ControlError('this user has no such supervisor (running: none)'), 'reload failed: this user has no such'],
    [new Error('worker 0 threw'), 'reload failed: worker 0 threw'],
  ])('%s', async (error, message) => {
    fakes.reload = () => Promise.reject(error)
    expect(await reload([])).toBe(1)
    expect(stderr).toMatch(new RegExp(`^reuseport: ${message}.*\\n$`))
    expect(await reload(['--json'])).toBe(1)
    const { code } = error as { readonly code?: string }
    expect(JSON.parse(stdout)).toEqual({
      command: 'reload',
      error: { message: error.message, ...(code && { code }) },
      supervisors: [],
    })
  })

  test('where several could be meant, they are listed, and the exit code is 2', async () => {
    const at = new Date(Date.now() - 3 * 86_400_000).toISOString()
    const base = { state: 'running', generation: 1, startedAt: at, workers: [] }
    const places = [{ protocol: 'tcp', address: '::', port: 8080 } as const]
    const several = [
      { ...base, pid: 12, script: '/srv/\u001b[2Jone/server.js', places },
      { ...base, pid: 13_000, script: '/srv/two/server.js' },
    ]
    fakes.reload = () => Promise.reject(new ControlError('there are several', 'ERR_REUSEPORT_AMBIGUOUS', several))
    expect(await reload([])).toBe(2)
    expect(`\n${stderr}`).toBe(`
reuseport: reload failed: there are several
    PID  AGE  PORTS      SCRIPT
     12   3d  [::]:8080  /srv/?[2Jone/server.js
  13000   3d  -          /srv/two/server.js
`)
    expect(await reload(['--json'])).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ command: 'reload', supervisors: several })
  })
})

describe('ls --watch', () => {
  async function watched(
    words: readonly string[],
    screen: Screen,
    until: (written: string) => boolean,
  ): Promise<string> {
    let written = ''
    let end = (): void => {}
    const stream = new Writable({
      write(text, _encoding, done) {
        written += String(text)
        if (until(written)) end()
        done()
      },
    })
    const out = { stream, screen: () => screen }
    expect(
      await ls(words, out, (onEnd) => {
        end = onEnd
      }),
    ).toBe(0)
    return written
  }

  const PLAIN: Screen = { columns: undefined, rows: undefined, coloured: false }
  const twice = (text: string) => (written: string) => written.split(text).length > 2

  test('where there is no terminal, one after the other', async () => {
    expect(await watched(['1', '--watch', '0.1'], PLAIN, twice('No group.\n'))).toBe('No group.\n\nNo group.\n\n')
  })

  test('in place, and left as it was', async () => {
    const screen: Screen = { columns: 60, rows: 5, coloured: false }
    const written = await watched(['1', '--watch', '0.1'], screen, twice('No group.'))
    expect(written.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true)
    expect(written.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true)
  })

  test('as often as it is told; without a number each 2 seconds', async () => {
    let ended = (): void => {}
    const stream = new Writable({ write: (_text, _encoding, done) => done() })
    const set = vi.spyOn(globalThis, 'setTimeout')
    const watching = ls(['1', '--watch'], { stream, screen: () => PLAIN }, (onEnd) => {
      ended = onEnd
    })
    await expect.poll(() => set.mock.calls.map(([, delay]) => delay)).toContain(2000)
    ended()
    expect(await watching).toBe(0)
  })
})

describe('run', () => {
  test('help', async () => {
    expect(await run(['--help'])).toBe(0)
    expect(stdout).toBe(`${RUN_HELP}\n`)
  })

  test('an error that is none of the options', async () => {
    fakes.construct = () => {
      throw new RangeError('something else')
    }
    await expect(run(['app.js'])).rejects.toThrow(RangeError)
  })

  test('what could not be started is told once: by its events as JSON, otherwise by its message', async () => {
    fakes.start = () => Promise.reject(new Error('worker 0 was ended'))
    expect(await run(['app.js'])).toBe(1)
    expect(stderr).toBe('reuseport: worker 0 was ended\n')
    stderr = ''
    expect(await run(['--json', 'app.js'])).toBe(1)
    expect(stderr).toBe('')
  })

  test.each([
    [1, 0],
    [2, 0],
    [3, 143],
  ])('told %i times to end while it starts: exit code %i', async (times, code) => {
    fakes.start = async () => {
      for (let time = 0; time < times; time++) process.emit('SIGTERM', 'SIGTERM')
      throw new Error('stopped')
    }
    expect(await run(['app.js'])).toBe(code)
  })
})
