// The command `reuseport run`: what goes wrong, what it says and how it ends. No orphan is left, nothing hangs.
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openReusePortSocket } from '../../src/index.js'
import { noOtherUser } from '../support/another-user.js'
import { reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'
import { listenersOn } from '../support/sockets.js'
import { answerers, get, script } from '../support/supervisors.js'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-run-'))
  chmodSync(folder, 0o755)
  file = path.join(folder, 'setting.json')
})

afterEach(async () => {
  // By the setting, which is theirs alone.
  await expect.poll(() => orphans(), { timeout: 10_000 }).toEqual([])
  rmSync(folder, { recursive: true })
})

/** Processes that have this test's setting among their arguments. */
function orphans(): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return command.includes(file) ? [`${pid} ${command}`] : []
    } catch {
      return []
    }
  })
}

function set(setting: object): string {
  writeFileSync(file, JSON.stringify(setting))
  return file
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** A request that is under way: its answer ends when `finish` is called. */
async function begin(port: number): Promise<{ answer: Promise<string>; me: number; finish(): Promise<void> }> {
  const client = net.connect(port, '127.0.0.1')
  let text = ''
  client.setEncoding('utf8').on('data', (data) => {
    text += data
  })
  await expect.poll(() => text).toMatch(/^\d+\n/)
  const me = Number.parseInt(text, 10)
  const answer = once(client, 'close').then(() => text.replace(/^\d+\n/, ''))
  return { answer, me, finish: async () => void client.write('go on') }
}

/** Whether a signal waits to be handled by a process. proc_pid_status(5) */
function isPending(pid: number): boolean {
  return !/^ShdPnd:\t0+$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
}

describe('what goes wrong', () => {
  test.each([
    ['never', ['--ready-timeout', '300ms'], /worker \d did not listen on a port within 0.3 s/],
    ['throws', [], /worker \d ended with exit code 1 before it was ready/],
  ] as const)('a program that %s', async (how, options, message) => {
    await using command = reuseport(['run', '-n', '2', ...options, script, set({ how })])
    expect(await command.exited).toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
  })

  test.each([[[]], [['--threads']]] as const)('one that listens and exits, again and again %j', async (options) => {
    const port = await freePort()
    const setting = set({ how: 'listens and exits', port })
    await using command = reuseport(['run', '-n', '1', '--max-restarts', '2', ...options, script, setting])
    const { code, stderr } = await command.exited
    expect(stderr).toMatch(/worker 0 restarts in 100 ms \(early death 1 in a row\)/)
    expect(stderr).toMatch(/worker 0 restarts in 200 ms \(early death 2 in a row\)/)
    expect(stderr).toMatch(/gives up: worker 0 died early 3 times in a row; the last time it ended with exit code 7/)
    expect(code).toBe(3)
    expect(listenersOn(port)).toEqual([])
  })

  test('one that ignores that it is to drain is killed', async () => {
    const port = await freePort()
    const setting = set({ how: 'ignores drain', port })
    await using command = reuseport(['run', '-n', '1', '--drain-timeout', '200ms', script, setting])
    await command.said(/1 worker on/)
    const client = net.connect(port, '127.0.0.1')
    await once(client, 'data')
    const closed = once(client, 'close')
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.exited
    await closed
    expect(stderr).toMatch(/worker 0 \(\d+\) lost connections when it left: .*1 connection was destroyed/)
    expect(stderr).toMatch(/worker 0 \(\d+\) did not end within \d+\.\d s and was killed/)
    expect(code).toBe(0)
  })

  test('one that hangs when a reload tells it to leave is named', async () => {
    const port = await freePort()
    const setting = set({ how: 'hangs when it is asked to', port })
    await using command = reuseport(['run', '-n', '1', '--drain-timeout', '0', '--no-join', script, setting])
    await command.said(/1 worker on/)
    const { me } = await get(port, '127.0.0.1', '/hang')
    command.child.kill('SIGHUP')
    const name = `worker 0 \\(${Number.parseInt(me, 10)}\\)`
    const what = 'hung: told to leave, it did not answer for \\d+\\.\\d s, and was killed with its connections'
    await command.said(new RegExp(`${name} ${what}\\n`))
    await command.said(/generation 2 serves/)
  })

  test('a script without its extension is found as by node', async () => {
    const port = await freePort()
    const setting = set({ how: 'plain', port })
    await using command = reuseport(['run', '-n', '1', script.replace(/\.cjs$/, ''), setting])
    expect((await command.exited).code).toBe(2)
    writeFileSync(path.join(folder, 'short.js'), `require(${JSON.stringify(script)})`)
    await using found = reuseport(['run', '-n', '1', '--cwd', folder, 'short', setting])
    await found.said(/1 worker on/)
  })

  test.each(['nothere.js', '/nothere/at/all.js'])('a script that is not there: %s', async (missing) => {
    await using command = reuseport(['run', missing])
    const { code, stderr } = await command.exited
    expect(code).toBe(2)
    const where = missing.startsWith('/') ? '' : ` in ${process.cwd()}`
    expect(stderr).toBe(`reuseport: There is no script ${missing}${where}\n`)
  })

  test('a folder that is no program, a folder for --cwd that is none, an option after the script', async () => {
    await using package_ = reuseport(['run', '.'], { cwd: folder })
    expect(await package_.exited).toMatchObject({
      code: 2,
      stderr:
        'reuseport: There is no program in the folder .: it has neither an index.js nor a "main" in its package.json: name the script\n',
    })
    await using elsewhere = reuseport(['run', '--cwd', 'none', 'server.js'], { cwd: folder })
    expect(await elsewhere.exited).toMatchObject({
      code: 2,
      stderr: `reuseport: There is no folder ${folder}/none (--cwd): workers run there, and the script is looked for there\n`,
    })
    await using file_ = reuseport(['run', '--cwd', set({}), 'server.js'], { cwd: folder })
    expect((await file_.exited).stderr).toContain(`reuseport: ${file} is no folder (--cwd)`)
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, set({ how: 'plain', port }), '-n', '4'])
    await command.said(/: -n 4 after \S+supervised\.cjs goes to the program: options of reuseport run come before/)
    await command.said(/1 worker on/)
  })

  test.each([[[]], [['--threads']]] as const)(
    'a port that is taken: one line, and no stack of a worker %j',
    async (options) => {
      const holder = net.createServer().listen(0, '127.0.0.1')
      await once(holder, 'listening')
      const { port } = holder.address() as AddressInfo
      try {
        await using command = reuseport(['run', '-n', '2', ...options, script, set({ how: 'plain', port })])
        const { code, stderr, stdout } = await command.exited
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
        expect(stderr).toMatch(
          /^reuseport: worker \d could not listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): process \d+ of user \S+ \(.*\) has the port without SO_REUSEPORT, .*: let that process share the port too, or stop it\n$/,
        )
      } finally {
        holder.close()
      }
    },
  )

  test('a second port that is taken, and what the program itself says of it', async () => {
    const holder = net.createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port: second } = holder.address() as AddressInfo
    try {
      const port = await freePort()
      await using both = reuseport(['run', '-n', '2', script, set({ how: 'two ports at once', port, second })])
      const { stderr } = await both.exited
      expect(stderr).toMatch(/^reuseport: worker \d could not listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): .*\n$/)
      await using monitored = reuseport(['run', '-n', '1', script, set({ how: 'monitors errors', port: second })])
      expect(await monitored.exited).toMatchObject({ code: 1, stdout: 'monitor EADDRINUSE\nexit 1\n' })
      await using caught = reuseport(['run', '-n', '1', script, set({ how: 'catches errors', port: second })])
      expect(await caught.exited).toMatchObject({ code: 1, stdout: 'caught EADDRINUSE\n' })
      await using handled = reuseport([
        'run',
        '-n',
        '1',
        '--json',
        script,
        set({ how: 'listens elsewhere', port: second, second: port }),
      ])
      await handled.said(/"event":"running"/)
      expect(handled.stderr()).toMatch(
        /"event":"worker:listen-failed",.*"failure":\{"code":"EADDRINUSE","address":"127.0.0.1"/,
      )
      await using late = reuseport([
        'run',
        '-n',
        '1',
        '--ready-timeout',
        '4s',
        script,
        set({ how: 'shrugs', port: second }),
      ])
      expect((await late.exited).stderr).toMatch(
        /did not listen on a port within 4 s: it could not listen on 127.0.0.1:\d+ \(EADDRINUSE\)/,
      )
    } finally {
      holder.close()
    }
  })

  test('a port that another user has', async (context) => {
    if (noOtherUser !== undefined) context.skip(noOtherUser)
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, set({ how: 'plain', port })], { uid: 65534 })
    await command.said(/1 worker on/)
    const mine = path.join(folder, 'mine.json')
    writeFileSync(mine, JSON.stringify({ how: 'plain', port }))
    await using other = reuseport(['run', '-n', '1', script, mine])
    const { code, stderr } = await other.exited
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^reuseport: worker 0 could not listen on .*\(EADDRINUSE\): .* run as that user, or stop that process\n$/,
    )
    expect(await answerers(port)).toHaveProperty('size', 1)
  })

  test('no descriptor is left', async () => {
    const port = await freePort()
    // Enough for Node itself, and for less than the workers that are asked for.
    const before = ['bash', '-c', 'ulimit -n 40; exec "$@"', 'bash']
    await using command = reuseport(['run', '-n', '20', script, set({ how: 'plain', port })], { before })
    const { code, stderr } = await command.exited
    expect(code).toBe(1)
    expect(stderr).toMatch(/reuseport: worker \d+ could not be started \(spawn \S+ EMFILE\) before it was ready/)
    // A crash prints EMFILE and exits with 1 too.
    expect(stderr).not.toMatch(/Unhandled|^ +at /m)
    expect(listenersOn(port)).toEqual([])
  })

  test('no descriptor is left when a worker dies: it is started later, and the others serve', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '2', script, set({ how: 'plain', port })])
    await command.said(/2 workers on/)
    const pid = command.child.pid ?? 0
    const limit = (most: number | string): void => {
      execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:`])
    }
    const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
    limit([...Array(open.size + 1).keys()].find((fd) => !open.has(fd)) ?? 0)
    const [, first] = /2 workers on \S+ (\d+)/.exec(command.stderr()) ?? []
    process.kill(Number(first), 'SIGKILL')
    await command.said(/worker \d died: spawn \S+ EMFILE[\s\S]*early death 3 in a row/)
    limit(4096)
    await expect.poll(async () => (await answerers(port)).size, { timeout: 20_000 }).toBe(2)
    command.child.kill('SIGTERM')
    expect((await command.exited).code).toBe(0)
  })

  test('a program that closes its IPC channel is replaced all the same', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '2', script, set({ how: 'disconnects', port })])
    await command.said(/2 workers on/)
    await command.said(/worker 0 \(\d+\) has closed its IPC channel: only SIGTERM can make it drain/)
    await command.said(/worker 1 \(\d+\) has closed its IPC channel/)
    const before = await answerers(port)
    command.child.kill('SIGHUP')
    await command.said(/generation 2 serves/)
    const after = await answerers(port)
    expect([...after].filter((me) => before.has(me))).toEqual([])
    expect(listenersOn(port)).toHaveLength(2)
    command.child.kill('SIGTERM')
    expect((await command.exited).code).toBe(0)
  })
})

test('without the addon: an error that says so, or one socket for all', async () => {
  const port = await freePort()
  const env = { NODE_OPTIONS: '--no-addons' }
  await using refused = reuseport(['run', '-n', '2', script, set({ how: 'plain', port })], { env })
  const { code, stderr } = await refused.exited
  expect(code).toBe(1)
  expect(stderr).toMatch(/the port cannot be shared: the native addon is missing/)
  await using command = reuseport(['run', '-n', '2', '--fallback', 'exclusive', script, file], { env })
  await command.said(/all workers accept from one socket.*: the native addon is missing/)
  await command.said(/2 workers on/)
  const before = await answerers(port)
  command.child.kill('SIGHUP')
  await command.said(/generation 2 serves/)
  expect([...(await answerers(port))].filter((me) => before.has(me))).toEqual([])
  command.child.kill('SIGTERM')
  expect((await command.exited).code).toBe(0)
})

describe('who else is on the port', () => {
  test('a supervisor, when it is started twice, and orphans of one that has died; --replace ends them', async () => {
    const port = await freePort()
    const words = ['run', '-n', '1', script, set({ how: 'plain', port })]
    await using first = reuseport(words)
    await first.said(/1 worker on/)
    const { me } = await get(port)
    await using second = reuseport(words)
    const there = `not alone on 127\\.0\\.0\\.1:${port}: supervisor`
    const about = '\\(\\S+supervised\\.cjs, up \\d+s\\)'
    await second.said(
      new RegExp(`${there} ${first.child.pid} ${about}\\. Was it started twice\\? A start with --replace`),
    )
    first.child.kill('SIGKILL')
    expect((await first.exited).stderr).not.toContain('not alone')
    await using third = reuseport(words)
    const orphan = `an orphan of a supervisor that has died \\(${Number.parseInt(me, 10)}, up \\d+s\\)`
    await third.said(new RegExp(`${there} ${second.child.pid} ${about}; ${orphan}\\. Was it started twice\\?`))
    await using last = reuseport(['run', '--replace', ...words.slice(1)])
    await last.said(/replaced the earlier processes/)
    expect(last.stderr()).not.toContain('not alone')
  })

  test('a process that no supervisor has started, as JSON', async () => {
    using socket = openReusePortSocket({ host: '127.0.0.1' })
    const { port } = socket.address()
    await using command = reuseport(['run', '-n', '1', '--json', script, set({ how: 'plain', port })])
    await command.said(/"event":"others"/)
    const line = command
      .stderr()
      .split('\n')
      .find((text) => text.includes('"others"'))
    expect(JSON.parse(line ?? '')).toMatchObject({
      others: {
        address: '127.0.0.1',
        family: 'IPv4',
        port,
        supervisors: [],
        orphans: [],
        strangers: [{ pid: process.pid }],
      },
    })
  })

  test('a cluster worker of a worker is neither: --replace leaves it', async () => {
    const port = await freePort()
    await using command = reuseport([
      'run',
      '-n',
      '1',
      '--replace',
      '--json',
      script,
      set({ how: 'has a cluster worker', port }),
    ])
    await command.said(/"event":"replaced","replaced":\{"ended":\[\],"strangers":\[\],"late":\[\]\}/)
    await command.said(/"event":"running"/)
  })
})

describe('signals', () => {
  test('SIGTTIN and SIGTTOU: one more, one less, but the last', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, set({ how: 'plain', port })])
    await command.said(/1 worker on/)
    command.child.kill('SIGTTIN')
    await command.said(/: scaled to 2 workers\n/)
    expect(listenersOn(port)).toHaveLength(2)
    command.child.kill('SIGTTOU')
    await command.said(/: scaled to 1 worker\n/)
    expect(listenersOn(port)).toHaveLength(1)
    command.child.kill('SIGTTOU')
    await command.said(/SIGTTOU is ignored: the last worker stays/)
    expect(await answerers(port)).toHaveProperty('size', 1)
  })

  test('three times in a row: three more, three fewer', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, set({ how: 'plain', port })])
    await command.said(/1 worker on/)
    // The kernel merges signals that are pending: each is heard before the next is sent.
    for (const signal of ['SIGTTIN', 'SIGTTOU'] as const) {
      for (let turn = 0; turn < 3; turn++) {
        command.child.kill(signal)
        await expect.poll(() => isPending(command.child.pid as number)).toBe(false)
      }
      const count = signal === 'SIGTTIN' ? 4 : 1
      await command.said(new RegExp(`: scaled to ${count} workers?\n$`))
      expect(listenersOn(port)).toHaveLength(count)
    }
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGQUIT', 131],
  ] as const)('two within a second are one; the third ends at once: %s', async (signal, code) => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, set({ how: 'ignores drain', port })])
    await command.said(/1 worker on/)
    const client = net.connect(port, '127.0.0.1').on('error', () => {})
    await once(client, 'data')
    const others = (['SIGTERM', 'SIGINT', 'SIGQUIT'] as const).filter((name) => name !== signal)
    for (const other of others) command.child.kill(other)
    await command.said(/drains 1 worker and ends/)
    command.child.kill(signal)
    const { code: exitCode, stderr } = await command.exited
    expect(exitCode).toBe(code)
    expect(stderr).toContain(`${signal} once more: ends 1 worker at once, and what they have not answered is lost`)
    client.destroy()
  })

  test.each([0, 1])(
    'to the supervisor and its worker, as to a whole tree: nothing is lost (%i first)',
    async (first) => {
      const port = await freePort()
      await using command = reuseport(['run', '-n', '1', script, set({ how: 'answers when asked', port })])
      await command.said(/1 worker on/)
      const { answer, me, finish } = await begin(port)
      const tree = [command.child.pid as number, me]
      process.kill(tree[first] as number, 'SIGTERM')
      if (first === 0) await command.said(/drains \d workers? and ends/)
      else await command.said(/got SIGTERM and is replaced/)
      process.kill(tree[1 - first] as number, 'SIGTERM')
      await command.said(/drains \d workers? and ends/)
      await finish()
      expect(await answer).toBe('finished')
      expect((await command.exited).code).toBe(0)
    },
  )

  test('to a whole tree with a cluster worker in it: nothing is lost', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, set({ how: 'has a cluster worker', port })])
    await command.said(/1 worker on/)
    const { answer, me, finish } = await begin(port)
    for (const pid of [me, parentOf(me), command.child.pid as number]) process.kill(pid, 'SIGTERM')
    await command.said(/drains \d workers? and ends/)
    await expect.poll(() => listenersOn(port)).toEqual([])
    await finish()
    expect(await answer).toBe('finished')
    expect((await command.exited).code).toBe(0)
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('the program gets the one that was sent: %s', async (signal) => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '2', script, set({ how: 'listens for each signal', port })])
    await command.said(/2 workers on/)
    command.child.kill(signal)
    expect(await command.exited).toMatchObject({ code: 0, stdout: `heard ${signal}\n`.repeat(2) })
  })

  test('one that does not listen for SIGQUIT dumps no core', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', '--json', script, set({ how: 'plain', port })])
    await command.said(/"running"/)
    command.child.kill('SIGQUIT')
    const { code, stderr } = await command.exited
    expect(code).toBe(0)
    expect(stderr).toMatch(/"exit":\{"code":null,"signal":"SIGTERM","isExpected":true,"cause":"told"\}/)
  })

  test('a program that cleans up hears it once, although its worker gets it too', async () => {
    const port = await freePort()
    const setting = set({ how: 'takes its time to clean up', port })
    await using command = reuseport(['run', '-n', '1', '--json', script, setting])
    await command.said(/"running"/)
    const { me } = await get(port)
    command.child.kill('SIGTERM')
    await expect.poll(command.stdout).toBe('heard SIGTERM\n')
    process.kill(Number.parseInt(me, 10), 'SIGTERM')
    process.kill(Number.parseInt(me, 10), 'SIGWINCH')
    const { stdout, stderr } = await command.exited
    expect(stdout).toBe('heard SIGTERM\n')
    expect(stderr).toMatch(/"exit":\{"code":0,"signal":null,"isExpected":true,"cause":"told"\}/)
  })

  test('a program may send the signal to itself when it has cleaned up', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', '--json', script, set({ how: 'signals itself', port })])
    await command.said(/"running"/)
    command.child.kill('SIGINT')
    expect((await command.exited).stderr).toMatch(
      /"exit":\{"code":null,"signal":"SIGINT","isExpected":true,"cause":"told"\}/,
    )
  })

  test('SIGUSR2 reloads, as SIGHUP does; a program that fails on its way out is named', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, set({ how: 'fails to shut down', port })])
    await command.said(/1 worker on/)
    command.child.kill('SIGUSR2')
    await command.said(/generation 2 serves/)
    await command.said(/worker 0 \(\d+\) failed when it was told to end: exit code 3/)
  })

  test('while it starts: it ends, and nothing is left', async () => {
    await using command = reuseport(['run', '-n', '2', script, set({ how: 'never' })])
    await expect.poll(orphans).toHaveLength(3)
    command.child.kill('SIGTERM')
    expect((await command.exited).code).toBe(0)
  })
})

test('a terminal that closes: all drain, and nothing is left', async () => {
  const port = await freePort()
  const before = ['python3', fileURLToPath(new URL('../fixtures/closing-terminal.py', import.meta.url)), 'worker on']
  await using command = reuseport(['run', '-n', '1', '--prefix', script, set({ how: 'plain', port })], { before })
  expect((await command.exited).stdout).toBe('0\n')
  expect(orphans()).toEqual([])
})

test('a worker is in a process group of its own, and in the session of its supervisor', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '1', script, set({ how: 'plain', port })])
  await command.said(/1 worker on/)
  const { me } = await get(port)
  const worker = Number.parseInt(me, 10)
  const of = (pid: number | string): { group: number; session: number } => {
    const [, , group, session] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? []
    return { group: group as number, session: session as number }
  }
  expect(of(worker).group).toBe(worker)
  expect(of(worker).session).toBe(of(command.child.pid as number).session)
})

test('who reads what it prints may go: it stays, and reloads', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '1', '--prefix', script, set({ how: 'plain', port })])
  await command.said(/1 worker on/)
  command.child.stdout?.destroy()
  command.child.stderr?.destroy()
  const before = await answerers(port)
  await using done = reuseport(['reload', String(command.child.pid)])
  expect((await done.exited).code).toBe(0)
  const after = await answerers(port)
  expect([...after].filter((me) => before.has(me))).toEqual([])
})

test('workers outlive a supervisor that is killed, and drain by SIGTERM', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '2', script, set({ how: 'plain', port })])
  await command.said(/2 workers on/)
  command.child.kill('SIGKILL')
  await command.exited
  expect(await answerers(port)).toHaveProperty('size', 2)
  const workers = [...(await answerers(port))].map((me) => Number.parseInt(me, 10))
  // One leaves while requests go on; the other takes what comes.
  let ends = false
  const clients = Array.from({ length: 4 }, async () => {
    while (!ends) await get(port)
  })
  process.kill(workers[0] as number, 'SIGTERM')
  await expect.poll(() => listenersOn(port)).toHaveLength(1)
  await expect.poll(() => answerers(port)).toHaveProperty('size', 1)
  ends = true
  await Promise.all(clients)
  process.kill(workers[1] as number, 'SIGTERM')
})

test('a worker that has asked for a successor, and whose supervisor then dies, leaves by itself', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '2', script, set({ how: 'plain', port })])
  await command.said(/2 workers on/)
  command.child.kill('SIGSTOP')
  const workers = [...(await answerers(port))].map((me) => Number.parseInt(me, 10))
  process.kill(workers[0] as number, 'SIGTERM')
  // It serves until somebody takes its place.
  expect(await answerers(port)).toHaveProperty('size', 2)
  command.child.kill('SIGKILL')
  await expect.poll(() => listenersOn(port)).toHaveLength(1)
  expect([...(await answerers(port))].map((me) => Number.parseInt(me, 10))).toEqual([workers[1]])
  process.kill(workers[1] as number, 'SIGTERM')
})

test('one socket for all: a worker that leaves without its supervisor takes it from nobody', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '2', '--one-socket', script, set({ how: 'plain', port })])
  await command.said(/2 workers on/)
  command.child.kill('SIGKILL')
  await command.exited
  await expect.poll(orphans).toHaveLength(2)
  process.kill(Number(orphans()[0]?.split(' ')[0]), 'SIGTERM')
  await expect.poll(orphans).toHaveLength(1)
  expect(await answerers(port)).toHaveProperty('size', 1)
  process.kill(Number(orphans()[0]?.split(' ')[0]), 'SIGTERM')
})

describe('--replace', () => {
  test.each([
    ['a supervisor', false],
    ['the workers of one that was killed', true],
  ])('%s, under load: nothing fails', async (_who, isKilled) => {
    const port = await freePort()
    await using first = reuseport(['run', '-n', '2', script, set({ how: 'plain', port })])
    await first.said(/2 workers on/)
    const before = await answerers(port)
    if (isKilled) {
      first.child.kill('SIGKILL')
      await first.exited
    }
    let ends = false
    const clients = Array.from({ length: 4 }, async () => {
      while (!ends) await get(port)
    })
    await using second = reuseport(['run', '-n', '2', '--replace', script, file])
    await second.said(/replaced the earlier processes: \d+/)
    await second.said(/2 workers on/)
    if (!isKilled) expect((await first.exited).code).toBe(0)
    const after = await answerers(port)
    ends = true
    await Promise.all(clients)
    expect([...after].filter((me) => before.has(me))).toEqual([])
    expect(after.size).toBe(2)
    expect(listenersOn(port)).toHaveLength(2)
  })
})

test('reuseport reload says whether the new workers serve', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '2', script, set({ how: 'plain', port })])
  await command.said(/2 workers on/)
  const before = await answerers(port)
  const pid = String(command.child.pid)
  await using done = reuseport(['reload', pid])
  expect(await done.exited).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The new workers serve, after [\d.]+ s\.\n$/),
  })
  const after = await answerers(port)
  expect([...after].filter((me) => before.has(me))).toEqual([])
  set({ how: 'throws' })
  await using failed = reuseport(['reload', pid])
  expect(await failed.exited).toMatchObject({
    code: 1,
    stderr:
      'reuseport: reload failed: worker 0 ended with exit code 1 before it was ready; workers 0, 1 serve generation 2\n',
  })
  expect(await answerers(port)).toEqual(after)
})

test('--env-file, --cwd, arguments: as the program sees them', async () => {
  const port = await freePort()
  writeFileSync(path.join(folder, 'vars'), 'FROM_FILE=yes\nNO_COLOR=not this\n')
  const setting = set({ how: 'environment', port })
  await using command = reuseport([
    'run',
    '-n',
    '1',
    '--cwd',
    folder,
    '--env-file',
    path.join(folder, 'vars'),
    script,
    setting,
    '--workers',
    'x',
  ])
  await command.said(/1 worker on/)
  const seen = await get<{ env: NodeJS.ProcessEnv; argv: string[]; cwd: string }>(port)
  expect(seen.cwd).toBe(folder)
  expect(seen.argv).toEqual([setting, '--workers', 'x'])
  expect(seen.env['FROM_FILE']).toBe('yes')
  expect(seen.env['NO_COLOR']).toBe('1')
  expect(Object.keys(seen.env)).not.toContain('REUSEPORT_WORKER_FD')
})

test('--prefix: whole lines, with the worker in front', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '1', '--prefix', script, set({ how: 'prints', port })])
  await command.said(/1 worker on/)
  await command.said(/0 \d+ \| a mistake\n/)
  await expect.poll(command.stdout).toContain('another\n')
  command.child.kill('SIGTERM')
  const { stdout } = await command.exited
  expect(stdout).toMatch(/^0 \d+ \| one line\n0 \d+ \| another\n$/)
})

describe('--prefix, and nobody reads', () => {
  /** MB. proc_pid_status(5) */
  const memory = (pid: number): number =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

  /** Resolves when the program prints no more, because its output is full. */
  async function full(port: number): Promise<void> {
    let before = -1
    const look = async (): Promise<boolean> => {
      const { line, waits } = await get<{ line: number; waits: boolean }>(port)
      const isFull = waits && line === before
      before = line
      return isFull
    }
    await expect.poll(look, { interval: 200, timeout: 10_000 }).toBe(true)
  }

  const LINES = 100_000

  test.each([[[]], [['--threads']]] as const)(
    'the program waits, and nothing is lost: %j',
    async (more) => {
      const port = await freePort()
      const setting = set({ how: 'prints much', port, lines: LINES })
      await using command = reuseport(['run', '-n', '1', '--prefix', ...more, script, setting])
      command.child.stdout?.pause()
      await command.said(/1 worker on/)
      await full(port)
      // All that it prints is 50 MB, and twice that in the memory of V8.
      expect(memory(command.child.pid as number)).toBeLessThan(110)
      command.child.stdout?.resume()
      await expect
        .poll(() => command.stdout().endsWith(`y ${LINES - 1}\n`), { timeout: 80_000, interval: 1000 })
        .toBe(true)
      const lines = command.stdout().trimEnd().split('\n')
      expect(lines).toHaveLength(LINES)
      const start = lines[0]?.slice(0, -1)
      expect(lines.findIndex((line, index) => line !== `${start}${index}`)).toBe(-1)
      command.child.kill('SIGTERM')
      expect((await command.exited).code).toBe(0)
    },
    100_000,
  )

  test('the supervisor ends all the same', async () => {
    const port = await freePort()
    await using command = reuseport([
      'run',
      '-n',
      '1',
      '--prefix',
      script,
      set({ how: 'prints much', port, lines: LINES }),
    ])
    command.child.stdout?.pause()
    await command.said(/1 worker on/)
    await full(port)
    command.child.kill('SIGTERM')
    expect((await command.exited).code).toBe(0)
  })

  test('who reads may go: the program goes on', async () => {
    const port = await freePort()
    await using command = reuseport([
      'run',
      '-n',
      '1',
      '--prefix',
      script,
      set({ how: 'prints much', port, lines: LINES }),
    ])
    command.child.stdout?.pause()
    await command.said(/1 worker on/)
    await full(port)
    command.child.stdout?.destroy()
    await expect.poll(() => get(port), { timeout: 20_000 }).toMatchObject({ line: LINES })
  })

  test('what a worker prints last is there', async () => {
    const setting = set({ how: 'prints and throws', lines: 2000 })
    await using command = reuseport(['run', '-n', '1', '--prefix', script, setting])
    expect((await command.exited).code).toBe(1)
    await expect.poll(command.stdout).toMatch(/ 1999\n0 \d+ \| the end\n$/)
  })
})

test('--watch: a file that changes replaces the workers', async () => {
  const port = await freePort()
  const program = path.join(folder, 'program.cjs')
  const write = (word: string): void =>
    writeFileSync(
      program,
      `require('http').createServer((q, r) => r.end('"${word}"')).listen(${port}, '127.0.0.1') // ${file}`,
    )
  write('old')
  await using command = reuseport(['run', '-n', '1', '--watch', '--cwd', folder, program, file])
  await command.said(/1 worker on/)
  expect(await get<string>(port)).toBe('old')
  write('new')
  await command.said(/generation 2 serves/)
  expect(await get<string>(port)).toBe('new')
})

test('--watch: also a file that changes while the workers start', async () => {
  const port = await freePort()
  const program = path.join(folder, 'slow.cjs')
  const write = (word: string): void =>
    writeFileSync(
      program,
      `console.log('loaded') // ${file}
const server = require('http').createServer((q, r) => r.end('"${word}"'))
setTimeout(() => server.listen(${port}, '127.0.0.1'), 300)`,
    )
  write('old')
  await using command = reuseport(['run', '-n', '1', '--watch', '--cwd', folder, program, file])
  await expect.poll(command.stdout).toContain('loaded')
  write('new')
  await command.said(/generation 2 serves/)
  expect(await get<string>(port)).toBe('new')
})

describe('--watch, and the program writes files', () => {
  /** A program that does this when it starts, and when it is asked. */
  function writing(port: number, code: string): string {
    const program = path.join(folder, 'writes.cjs')
    writeFileSync(
      program,
      `const fs = require('fs') // ${file}
const write = () => { ${code} }
write()
require('http').createServer((q, r) => { write(); r.end('"here"') }).listen(${port}, '127.0.0.1')`,
    )
    return program
  }

  /** Resolves when the watch has heard of everything that came before. */
  async function heardAll(command: ReturnType<typeof reuseport>, generation: number): Promise<void> {
    writeFileSync(path.join(folder, 'last.css'), '')
    await command.said(
      new RegExp(`last.css.*changed\n.*generation ${generation} starts[^]*generation ${generation} serves`),
    )
  }

  test('a log that it appends to whenever it starts: one reload, then it is told and left alone', async () => {
    const port = await freePort()
    const program = writing(port, "fs.appendFileSync('app.log', 'here')")
    await using command = reuseport(['run', '-n', '2', '--watch', '--cwd', folder, program, file])
    await command.said(/app.log changed\n.*reload: generation 2 starts/)
    await command.said(/app.log changes whenever workers start: .*--watch-ignore 'app.log'/)
    await command.said(/generation 2 serves/)
    await get(port)
    await heardAll(command, 3)
    await get(port)
    command.child.kill('SIGTERM')
    const { stderr } = await command.exited
    expect(stderr.match(/app.log/g)).toHaveLength(3)
    expect(stderr).not.toContain('generation 4')
  })

  test('one that it holds open, and one that is left out: no reload', async () => {
    const port = await freePort()
    mkdirSync(path.join(folder, 'out'))
    const held = "fs.writeSync(globalThis.log ??= fs.openSync('held.log', 'a'), 'here')"
    const program = writing(port, `${held}; fs.appendFileSync('out/log', 'here'); fs.writeFileSync('data.tmp', '')`)
    const out = ['--watch-ignore', 'out/', '--watch-ignore', '*.tmp']
    await using command = reuseport(['run', '-n', '1', '--watch', ...out, '--cwd', folder, program, file])
    await command.said(/1 worker on/)
    await command.said(/held.log is open for writing in a worker/)
    await get(port)
    await heardAll(command, 2)
    command.child.kill('SIGTERM')
    const { stderr } = await command.exited
    expect(stderr).not.toMatch(/out\/log|data.tmp|held.log changed|generation 3/)
  })

  test('with --json: which files', async () => {
    const port = await freePort()
    const program = writing(port, '')
    await using command = reuseport(['run', '-n', '1', '--json', '--watch', '--cwd', folder, program, file])
    await command.said(/"running"/)
    writeFileSync(path.join(folder, 'some.css'), '')
    await command.said(/"event":"watch:change","files":\["some.css"\]/)
  })
})

const hasNamespaces =
  spawnSync('unshare', ['-U', '-r', 'sh', '-c', 'echo 1 > /proc/sys/user/max_inotify_watches']).status === 0

test.skipIf(!hasNamespaces)('--watch: no watches are left: one warning, and it goes on (needs unshare)', async () => {
  const port = await freePort()
  for (let index = 0; index < 40; index++) mkdirSync(path.join(folder, `${index}/below`), { recursive: true })
  const before = ['unshare', '-U', '-r', 'sh', '-c', 'echo 60 > /proc/sys/user/max_inotify_watches && exec "$@"', 'sh']
  const words = ['run', '-n', '1', '--watch', '--cwd', folder, script, set({ how: 'plain', port })]
  await using command = reuseport(words, { before })
  await command.said(/1 worker on/)
  // The folder, 40 folders in it, and 19 of those below.
  await command.said(
    /no inotify watches left \(ENOSPC\): .*\d+\/below, .* and 18 more folders, .*fs.inotify.max_user_watches/,
  )
  writeFileSync(path.join(folder, '7/file.css'), '')
  await command.said(/7\/file.css changed/)
  await command.said(/generation 2 serves/)
  command.child.kill('SIGTERM')
  const { stderr } = await command.exited
  expect(stderr.match(/ENOSPC/g)).toHaveLength(1)
})

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const runsTypeScript = major > 22 || (major === 22 && minor >= 18)

test.skipIf(!runsTypeScript)('a script in TypeScript (needs Node 22.18)', async () => {
  const port = await freePort()
  const program = path.join(folder, 'program.ts')
  const text = `import http from 'node:http'
const port: number = ${port}
http.createServer((_request: http.IncomingMessage, response) => void response.end('"typed"')).listen(port, '127.0.0.1')`
  writeFileSync(program, text)
  await using command = reuseport(['run', '-n', '1', program, file])
  await command.said(/1 worker on/)
  expect(await get<string>(port)).toBe('typed')
})

test('--json: a line for each event', async () => {
  const port = await freePort()
  await using command = reuseport(['run', '-n', '1', '--json', script, set({ how: 'plain', port })])
  await command.said(/"event":"running"/)
  command.child.kill('SIGTERM')
  const { stderr } = await command.exited
  const events = stderr
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as { event: string; time: string; supervisor: number })
  expect(events.map(({ event }) => event)).toEqual([
    'worker:start',
    'worker:listening',
    'worker:ready',
    'running',
    'stopping',
    'worker:drained',
    'worker:exit',
  ])
  for (const { supervisor, time } of events) {
    expect(supervisor).toBe(command.child.pid)
    expect(new Date(time).toISOString()).toBe(time)
  }
})

describe('what makes no sense', () => {
  test.each([
    [['run'], 'A script is missing'],
    [['run', '--workrs', '2', 'x.js'], 'There is no option --workrs. Did you mean --workers?'],
    [['run', '-n', 'two', 'x.js'], "--workers takes a whole number, or 'auto', not 'two'"],
    [['run', '-n', '0', 'x.js'], "The option 'workers' must be a whole number from 1 to 1024, or 'auto', not 0"],
    [['run', '--grace', '5 parsecs', 'x.js'], "--grace takes a time such as 500ms, 10s, 2m or 12h, not '5 parsecs'"],
    [['run', '--steering', 'left', 'x.js'], "--steering takes one of hash, random, cpu, client, not 'left'"],
    [['run', '--replace', '--one-socket', 'x.js'], "The option 'replace' must be false where 'oneSocket' is true"],
    [['reload', '1', '2'], 'reload takes one pid, script or port, and got 2'],
    [['scale', 'x'], "'x' is not a number of workers"],
  ])('%j', async (args, message) => {
    await using command = reuseport(args)
    const { code, stderr } = await command.exited
    expect(code).toBe(2)
    expect(stderr).toContain(`reuseport: ${message}`)
  })
})
