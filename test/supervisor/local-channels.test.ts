// What other processes can do to a supervisor, and to the command, through the channels that they can reach.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'
import { program } from '../support/processes.js'
import { script } from '../support/supervisors.js'

const STRANGER = 65_534
const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

let folder: string
let env: NodeJS.ProcessEnv

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-channels-'))
  // As /tmp.
  chmodSync(folder, 0o1777)
  env = { TMPDIR: folder }
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function set(setting: object): string {
  const file = path.join(folder, 'setting.json')
  writeFileSync(file, JSON.stringify(setting))
  return file
}

/** A process of another user with a control socket. */
async function falseSupervisor(...args: readonly string[]): ReturnType<typeof program> {
  return program('env', [
    `TMPDIR=${folder}`,
    process.execPath,
    fixture('false-supervisor.mjs'),
    String(STRANGER),
    ...args,
  ])
}

const onlyAsRoot = (context: { skip(reason: string): void }): void => {
  if (process.getuid?.() !== 0) context.skip('only root can start a process of another user')
}

function isAlive({ pid }: ChildProcess): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const statusOf = (pid: number | string, workers: readonly object[] = []): string =>
  JSON.stringify({
    version: 1,
    done: { pid, script: 'x', state: 'running', generation: 1, startedAt: '2026-01-01T00:00:00Z', workers },
  })

describe('a false supervisor of another user', () => {
  test('has nobody killed by --replace, and keeps nobody waiting', async (context) => {
    onlyAsRoot(context)
    const port = await freePort()
    const victim = spawn('sleep', ['60'])
    const member = spawn(process.execPath, [
      '--import',
      new URL('../../dist/register.js', import.meta.url).href,
      script,
      set({ how: 'plain', port }),
    ])
    try {
      await expect
        .poll(() => spawnSync('ss', ['-Hltn', `sport = :${port}`], { encoding: 'utf8' }).stdout)
        .toMatch(/LISTEN/)
      const worker = { slot: 0, pid: member.pid, generation: 1, state: 'ready', startedAt: '2026-01-01', sockets: [] }
      for (const answer of [statusOf(victim.pid ?? 0, [worker]), statusOf(-1, [worker]), 'hang']) {
        rmSync(path.join(folder, `reuseport-${STRANGER}`), { recursive: true, force: true })
        await using _false = await falseSupervisor(answer)
        await using command = reuseport(['run', '-n', '1', '--replace', script, set({ how: 'plain', port })], { env })
        await command.said(/1 worker on/)
        command.child.kill('SIGTERM')
        expect((await command.exited).code).toBe(0)
        expect([isAlive(victim), isAlive(member)]).toEqual([true, true])
      }
    } finally {
      victim.kill('SIGKILL')
      member.kill('SIGKILL')
    }
  })

  test.for([
    ['control characters', statusOf('\u001b]0;owned\u0007', [])],
    [
      'a text of control characters',
      statusOf('MY_PID').replace('"MY_PID"', 'MY_PID').replace('running', '\\u001b[2J\\u009bpwned\\u202e'),
    ],
    ['less than a status', '{"version":1,"done":{"pid":7}}'],
    ['no JSON', '\u001b[31mnonsense'],
    ['one that is at work for ever', 'accept'],
    ['another version', '{"version":99,"answer":{}}'],
  ])('%s do not reach the terminal, and end nothing', async ([_what, answer], context) => {
    onlyAsRoot(context)
    await using _false = await falseSupervisor(String(answer))
    for (const words of [['ls'], ['ls', '--json'], ['reload']]) {
      await using command = reuseport(words, { env })
      const { code, stderr, stdout } = await command.exited
      expect(code, stderr).toBe(words[0] === 'reload' ? 1 : 0)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
  })

  test('leads nobody to the socket of somebody else', async (context) => {
    onlyAsRoot(context)
    const daemon = path.join(folder, 'daemon.sock')
    const heard: string[] = []
    const server = net.createServer((socket) =>
      socket.on('error', () => {}).on('data', (data) => heard.push(String(data))),
    )
    await once(server.listen(daemon), 'listening')
    chmodSync(daemon, 0o600)
    await using _false = await falseSupervisor('link', daemon)
    for (const words of [['ls'], ['reload']]) {
      await using command = reuseport(words, { env })
      await command.exited
    }
    expect(heard).toEqual([])
    server.close()
  })
})

describe('a supervisor of the same user', () => {
  test('that is stopped is told of, and not waited for', async () => {
    const port = await freePort()
    const setting = set({ how: 'plain', port })
    await using old = reuseport(['run', '-n', '1', script, setting], { env })
    await old.said(/1 worker on/)
    old.child.kill('SIGSTOP')
    try {
      await using ls = reuseport(['ls', String(port)], { env })
      expect(await ls.exited).toMatchObject({ code: 0, stderr: expect.stringContaining('it does not answer in time') })
      await using command = reuseport(['run', '-n', '1', '--replace', script, setting], { env })
      await command.said(/did not end in time and may still serve: \d+/)
      await command.said(/1 worker on/)
      command.child.kill('SIGTERM')
      expect((await command.exited).code).toBe(0)
    } finally {
      old.child.kill('SIGCONT')
    }
    // It was told by the signal, which it hears now.
    expect((await old.exited).code).toBe(0)
  })

  test('that is told to end does so beside a silent client and a process that holds its output', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', '--prefix', fixture('speaks.cjs'), set({ port, holds: true })], {
      env,
    })
    await command.said(/1 worker on/)
    const own = path.join(folder, `reuseport-${process.geteuid?.()}`)
    const [name = ''] = readdirSync(own)
    const silent = net.connect(path.join(own, name)).on('error', () => {})
    await once(silent, 'connect')
    const closed = new Promise((resolve) => silent.once('close', resolve))
    command.child.kill('SIGTERM')
    // Its output stays open.
    expect((await once(command.child, 'exit'))[0]).toBe(0)
    await closed
    expect(readdirSync(own)).toEqual([])
    process.kill(Number(readFileSync(path.join(folder, 'setting.json.held'), 'utf8')), 'SIGKILL')
  })

  test('lives on whatever the program of a worker sends, and tells of it once', async () => {
    const port = await freePort()
    const cmd = 'NODE_REUSEPORT'
    const bodies = [
      undefined,
      null,
      7,
      [],
      {},
      { type: 'closed', id: 1 },
      { type: 'listening' },
      { type: 'want' },
      { type: 'released', ids: 1 },
    ]
    const messages = [...bodies.map((body) => ({ cmd, body })), { cmd, version: 2, body: { type: 'new' } }, { cmd }]
    await using command = reuseport(['run', '-n', '1', fixture('speaks.cjs'), set({ port, messages })], { env })
    await command.said(
      /worker 0 \(\d+\) sent a message that is refused: it is not an object \(the sender names no version/,
    )
    await using reload = reuseport(['reload'], { env })
    expect((await reload.exited).code).toBe(0)
    command.child.kill('SIGTERM')
    const { code, stderr } = await command.exited
    expect(code).toBe(0)
    // Once for each of the two workers.
    expect(stderr.match(/sent a message that is refused/g)).toHaveLength(2)
  })

  test('in another pid namespace that shares the folder is not taken for this one', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can make a pid namespace here')
    const before = ['unshare', '-p', '-f', '--mount-proc', '--kill-child']
    if (spawnSync('unshare', [...before.slice(1), 'true']).status !== 0)
      context.skip('no pid namespace can be made here')
    const [one, other] = [await freePort(), await freePort()]
    const setting = (port: number): string => {
      const file = path.join(folder, `${port}.json`)
      writeFileSync(file, JSON.stringify({ how: 'plain', port }))
      return file
    }
    await using first = reuseport(['run', '-n', '1', script, setting(one)], { env, before })
    await first.said(/1 worker on/)
    await using second = reuseport(['run', '-n', '1', script, setting(other)], { env, before })
    await second.said(/1 worker on/)
    expect(readdirSync(path.join(folder, 'reuseport-0')).map((name) => name.split('.')[0])).toEqual(['1', '1'])
    // Process 1 of each: the children of `unshare`, which is the child of this process.
    const inside = (child: ChildProcess): string =>
      execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).trim()
    await using reload = reuseport(['reload'], { env, before: ['nsenter', '-t', inside(second.child), '-p', '-m'] })
    expect((await reload.exited).code).toBe(0)
    await second.said(/generation 2 serves/)
    for (const child of [first.child, second.child]) process.kill(Number(inside(child)), 'SIGTERM')
    expect((await first.exited).stderr).not.toMatch(/generation 2/)
    await second.exited
  })
})

test('many workers that stop together do not wait for each other, whatever clients leave open', async (context) => {
  if (process.getuid?.() !== 0) context.skip('a client that answers no handshake takes an address of its own')
  const port = await freePort()
  await using command = reuseport(['run', '-n', '8', script, set({ how: 'plain', port })], { env })
  await command.said(/8 workers on/)
  // Drops the answers to its own requests to connect: its minimum TTL is above what loopback has.
  const halfOpen = `import socket,time
for _ in range(2):
    s = socket.socket(); s.setblocking(False); s.setsockopt(0, 21, 255)
    try: s.connect(("127.0.0.1", ${port}))
    except BlockingIOError: pass
    globals().setdefault("kept", []).append(s)
print("open", flush=True)
time.sleep(60)`
  await using _client = await program('python3', ['-c', halfOpen])
  command.child.kill('SIGTERM')
  const { code, stderr } = await command.exited
  expect(code).toBe(0)
  expect(stderr).not.toMatch(/did not end|waited/)
  // On a machine without a free CPU they may leave in two groups, and the handshakes are over with the first.
  expect(stderr).toMatch(/handshakes that the clients had not finished may be lost/)
})
