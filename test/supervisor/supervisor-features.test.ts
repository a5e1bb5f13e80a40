// What workers of one supervisor share, inherit and are told.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import tls from 'node:tls'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ask, controlFiles, Supervisor, type SupervisorOptions, supervisors } from '../../dist/supervisor.js'
import { automaticWorkers } from '../../src/supervisor/automatic-workers.js'
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js'
import { reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'
import { listenersOn } from '../support/sockets.js'
import { answerers, get, script, supervise } from '../support/supervisors.js'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-features-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('TLS sessions', () => {
  /** Who answers, and whether by a session that another one gave. */
  async function connect(port: number, session?: Buffer): Promise<{ reused: boolean; me: string; session: Buffer }> {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...(session && { session }) })
    const given = session === undefined ? once(socket, 'session') : undefined
    const ended = once(socket, 'end')
    await once(socket, 'secureConnect')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    let text = ''
    socket.setEncoding('utf8').on('data', (data) => {
      text += data
    })
    await ended
    // One that was resumed need not bring another.
    const [next] = (await given) ?? [session]
    return {
      reused: socket.isSessionReused(),
      me: text.split('\r\n\r\n')[1]?.match(/\d{2,}/)?.[0] ?? '',
      session: next,
    }
  }

  test('one of any worker resumes at every other, also after a reload', async () => {
    const port = await freePort()
    const args = [JSON.stringify({ port, key: PRIVATE_KEY, cert: CERTIFICATE })]
    await using one = supervise({}, { script: fixture('supervised-tls.mjs'), args, workers: 2 })
    await one.supervisor.start()
    const first = await connect(port)
    const seen = new Set<string>()
    for (let turn = 0; turn < 100 && seen.size < 2; turn++) {
      const next = await connect(port, first.session)
      expect(next.reused).toBe(true)
      seen.add(next.me)
    }
    expect(seen.size).toBe(2)
    await one.supervisor.reload()
    expect((await connect(port, first.session)).reused).toBe(true)
  })

  test('a program that has keys of its own keeps them', async () => {
    const port = await freePort()
    const args = [JSON.stringify({ port, key: PRIVATE_KEY, cert: CERTIFICATE, own: true })]
    await using one = supervise({}, { script: fixture('supervised-tls.mjs'), args, workers: 2 })
    await one.supervisor.start()
    const first = await connect(port)
    // Each worker has other ones: what comes to the other begins anew.
    const seen = new Map<string, boolean>()
    for (let turn = 0; turn < 100 && seen.size < 2; turn++) {
      const { me, reused } = await connect(port, first.session)
      seen.set(me, reused)
    }
    expect(seen.get(first.me)).toBe(true)
    expect([...seen.values()].sort()).toEqual([false, true])
  })
})

test('what a worker starts inherits no socket, and does not take itself for a worker', async () => {
  const port = await freePort()
  await using one = supervise({}, { script: fixture('supervised-child.cjs'), args: [String(port)], workers: 1 })
  await one.supervisor.start()
  // Its successor has the socket before it starts anybody.
  await one.supervisor.reload()
  const { seen, env } = await get<{ seen: string; env: NodeJS.ProcessEnv }>(port)
  expect(seen).toBe('')
  expect(env['REUSEPORT_WORKER_FD']).toBeUndefined()
})

test('descriptors: a supervisor that has reloaded and scaled has as many as before', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port })
  await one.supervisor.start()
  const count = (): number => readdirSync('/proc/self/fd').length
  await one.supervisor.reload()
  const before = count()
  for (let turn = 0; turn < 3; turn++) await one.supervisor.reload()
  await one.supervisor.scale(4)
  await one.supervisor.scale(2)
  await expect.poll(count).toBe(before)
  await one.supervisor.stop()
  expect(listenersOn(port)).toEqual([])
})

describe('CPUs (Linux)', () => {
  const allowed = (pid: number): string =>
    /^Cpus_allowed_list:\s+(.+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''

  test.skipIf(availableParallelism() < 2)(
    '--pin: each worker on one, the supervisor on all (needs 2 CPUs)',
    async () => {
      const port = await freePort()
      const before = allowed(process.pid)
      await using one = supervise({ how: 'plain', port }, { pin: true })
      await one.supervisor.start()
      const lists = one.supervisor.workers.map(({ pid }) => allowed(pid))
      for (const list of lists) expect(list).toMatch(/^\d+$/)
      expect(new Set(lists).size).toBe(2)
      expect(allowed(process.pid)).toBe(before)
      // All threads of a worker, the compilers too.
      const [worker] = one.supervisor.workers
      for (const thread of readdirSync(`/proc/${worker?.pid}/task`)) {
        expect(readFileSync(`/proc/${worker?.pid}/task/${thread}/status`, 'utf8')).toMatch(
          `Cpus_allowed_list:\t${lists[0]}\n`,
        )
      }
    },
  )

  const fromCpu = (cpu: string, port: number): string[] => {
    const text = `import os, urllib.request as u; os.sched_setaffinity(0, {${cpu}}); print(b' '.join(u.urlopen('http://127.0.0.1:${port}').read() for _ in range(20)).decode())`
    return [...execFileSync('python3', ['-c', text], { encoding: 'utf8' }).matchAll(/"me":"(\d+)/g)].map(([, me]) =>
      String(me),
    )
  }

  test.skipIf(availableParallelism() < 2)(
    '--pin --steering cpu: who receives on a CPU serves it (needs 2 CPUs)',
    async () => {
      const port = await freePort()
      // The client shares the CPU with the worker, whose queue stands meanwhile: a guest on the other CPU would serve it.
      await using one = supervise({ how: 'plain', port }, { steering: 'cpu', pin: true, join: false })
      await one.supervisor.start()
      for (let turn = 0; turn < 2; turn++) {
        for (const { pid } of one.supervisor.workers) {
          await expect.poll(() => new Set(fromCpu(allowed(pid), port))).toEqual(new Set([String(pid)]))
        }
        await one.supervisor.reload()
      }
    },
  )

  test.each(['hash', 'random'] as const)('--steering %s: all are reached, over reloads', async (steering) => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port }, { steering })
    await one.supervisor.start()
    await expect.poll(async () => (await answerers(port, 60)).size).toBe(2)
    await one.supervisor.reload()
    await expect.poll(async () => (await answerers(port, 60)).size).toBe(2)
    expect(one.told.filter(([name]) => name === 'warning')).toEqual([])
  })
})

describe('systemd', () => {
  const setting = (what: object): string => {
    const file = path.join(folder, 'setting.json')
    writeFileSync(file, JSON.stringify(what))
    return file
  }

  test.each([[[]], [['--threads']], [['--one-socket']]] as const)(
    'LISTEN_FDS: its socket is adopted, and stays %j',
    async (options) => {
      const port = await freePort()
      const before = ['python3', fixture('listen-fds.py'), String(port)]
      await using command = reuseport(['run', '-n', '2', ...options, script, setting({ how: 'environment', port })], {
        before,
      })
      await command.said(/2 workers on 127\.0\.0\.1/)
      expect(listenersOn(port)).toMatchObject([{ backlog: 511 }])
      const { env } = await get<{ env: NodeJS.ProcessEnv }>(port)
      expect(Object.keys(env).filter((name) => name.startsWith('LISTEN_'))).toEqual([])
      const seen = await answerers(port, 10)
      command.child.kill('SIGHUP')
      await command.said(/generation 2 serves/)
      expect([...(await answerers(port, 10))].filter((me) => seen.has(me))).toEqual([])
      command.child.kill('SIGTERM')
      expect((await command.exited).code).toBe(0)
    },
  )

  test.each(['file', 'abstract'])('NOTIFY_SOCKET (%s): ready, reloading, stopping', async (kind) => {
    const port = await freePort()
    const to = kind === 'file' ? path.join(folder, 'notify') : `@reuseport-notify-${process.pid}`
    const manager = spawn('python3', [fixture('notify-socket.py'), to], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      let heard = ''
      manager.stdout.setEncoding('utf8').on('data', (text) => {
        heard += text
      })
      await expect.poll(() => heard).toBe('bound\n')
      await using command = reuseport(['run', '-n', '1', script, setting({ how: 'environment', port })], {
        env: { NOTIFY_SOCKET: to },
      })
      await expect.poll(() => heard).toContain('READY=1')
      command.child.kill('SIGHUP')
      await command.said(/generation 2 serves/)
      expect((await get<{ env: NodeJS.ProcessEnv }>(port)).env['NOTIFY_SOCKET']).toBeUndefined()
      command.child.kill('SIGTERM')
      await command.exited
      await expect.poll(() => heard).toContain('STOPPING=1')
      const datagrams = heard
        .trim()
        .split('\n')
        .slice(1)
        .map((text) => String(JSON.parse(text)))
      expect(datagrams).toEqual([
        `READY=1\nMAINPID=${command.child.pid}\nSTATUS=1 workers, generation 1`,
        expect.stringMatching(/^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=reloading$/),
        `READY=1\nMAINPID=${command.child.pid}\nSTATUS=1 workers, generation 2`,
        'STOPPING=1\nSTATUS=draining',
      ])
    } finally {
      manager.kill('SIGKILL')
    }
  })

  test('NOTIFY_SOCKET where nobody hears: it says so, and serves', async () => {
    const port = await freePort()
    await using command = reuseport(['run', '-n', '1', script, setting({ how: 'plain', port })], {
      env: { NOTIFY_SOCKET: '/nothere' },
    })
    await command.said(/cannot notify systemd \(NOTIFY_SOCKET\): sendto ENOENT/)
    expect(await answerers(port)).toHaveProperty('size', 1)
  })

  test('a descriptor that is no listening socket is refused', async () => {
    const fd = openSync('/dev/null', 'r')
    await using one = supervise({ how: 'never' }, { sockets: [{ fd, name: 'http' }] })
    await expect(one.supervisor.start()).rejects.toThrow(
      `The option 'sockets[0].fd' must be the descriptor of a listening TCP socket (name: http, error: ENOTSOCK), not ${fd}`,
    )
    closeSync(fd)
  })
})

describe('where others ask', () => {
  test('status, by whoever is the same user', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port })
    await one.supervisor.start()
    const found = (await supervisors()).find(({ pid }) => pid === process.pid)
    expect(found).toEqual(JSON.parse(JSON.stringify(one.supervisor.status())))
    expect(found?.workers).toMatchObject([
      { slot: 0, generation: 1, state: 'ready', sockets: [expect.any(Number)] },
      { slot: 1, generation: 1, state: 'ready', sockets: [expect.any(Number)] },
    ])
    const file = controlFiles().find(({ pid }) => pid === process.pid)?.file as string
    await expect(ask(file, 'explode' as 'status')).rejects.toThrow(
      "its version of this package is an earlier one, which does not know 'explode'",
    )
    await one.supervisor.stop()
    expect(controlFiles().map(({ pid }) => pid)).not.toContain(process.pid)
    await expect(ask(file, 'status')).rejects.toThrow('ENOENT')
  })

  test('guests accept for a worker that is stopped while the event loop of the supervisor is blocked, too', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port })
    await one.supervisor.start()
    const [stopped, other] = one.supervisor.workers
    const sockets = (): number => readdirSync(`/proc/${other?.pid}/fd`).filter((fd) => Number(fd) >= 512).length
    await expect.poll(sockets).toBeGreaterThan(0)
    process.kill(stopped?.pid as number, 'SIGSTOP')
    // The event loop of this process, the supervisor, stands still until all clients are answered.
    const clients = `for (let at = 0; at < 20; at++) {
      const answer = await fetch('http://127.0.0.1:${port}', { headers: { connection: 'close' } })
      console.log((await answer.json()).me)
    }`
    try {
      const args = ['--input-type=module', '-e', clients]
      const answers = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })
      expect(
        new Set(
          answers
            .trim()
            .split('\n')
            .map((me) => Number.parseInt(me, 10)),
        ),
      ).toEqual(new Set([other?.pid]))
    } finally {
      process.kill(stopped?.pid as number, 'SIGCONT')
    }
  })

  test('a guest, which has the sockets of others too, is not taken for their owner', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port })
    await one.supervisor.start()
    const { inspectGroup } = await import('../../dist/index.js')
    const owners = new Map<number, number>()
    const { workers } = await ask(controlFiles().find(({ pid }) => pid === process.pid)?.file as string, 'status')
    for (const { pid, sockets } of workers) for (const inode of sockets) owners.set(inode, pid)
    const heldBy = (pid: number): number =>
      readdirSync(`/proc/${pid}/fd`).filter((fd) => {
        try {
          return owners.has(Number(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]))
        } catch {
          return false
        }
      }).length
    for (const { pid } of workers) await expect.poll(() => heldBy(pid)).toBe(2)
    const { members } = await inspectGroup({ port, host: '127.0.0.1' })
    // This process keeps both sockets, and may come first.
    expect(members).toHaveLength(2)
    const named = members.filter(({ pid }) => pid !== process.pid)
    for (const { inode, pid } of named) expect(pid).toBe(owners.get(inode))
    const text = `import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}).then(async (r) => console.log(JSON.stringify((await r.inspectGroup({ port: ${port}, host: '127.0.0.1' })).members)))`
    const seen = JSON.parse(execFileSync(process.execPath, ['-e', text], { encoding: 'utf8' }))
    expect(seen).toHaveLength(2)
    for (const { inode, pid } of seen) expect([owners.get(inode), process.pid]).toContain(pid)
  })

  test('reuseport ls: the supervisor and its workers', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port })
    await one.supervisor.start()
    await using text = reuseport(['ls', String(port)])
    const { stdout } = await text.exited
    expect(stdout).toMatch(/WORKER/)
    for (const { pid, slot } of one.supervisor.workers) expect(stdout).toMatch(new RegExp(` ${pid} .* ${slot} gen 1 `))
    expect(stdout).toMatch(
      new RegExp(`^supervisor ${process.pid}  running, generation 1, 2 ready, \\d+s  ${script}$`, 'm'),
    )
    await using json = reuseport(['ls', String(port), '--json'])
    const { groups, supervisors: all } = JSON.parse((await json.exited).stdout)
    expect(all).toMatchObject([{ pid: process.pid, generation: 1 }])
    expect(groups[0].members.map(({ worker }: { worker: object }) => worker)).toMatchObject([
      { generation: 1 },
      { generation: 1 },
    ])
  })
})

describe('options', () => {
  test.each([
    [{ script: '' }, "The option 'script' must be a file path or a file: URL, not ''"],
    [
      { script: new URL('https://example.org/x.js') },
      "The option 'script' must be a file path or a file: URL, not https://example.org/x.js",
    ],
    [{ script: 'file://host/x' }, "The option 'script' must be a file path or a file: URL, not 'file://host/x'"],
    [{ script: 5 }, "The option 'script' must be a file path or a file: URL, not 5"],
    [{ workers: 0 }, "The option 'workers' must be a whole number from 1 to 1024, or 'auto', not 0"],
    [{ readyTimeout: -1 }, "The option 'readyTimeout' must be a number of milliseconds from 0 to 2147483647, not -1"],
    [{ hangTimeout: 99 }, "The option 'hangTimeout' must be a number of milliseconds from 100 to 2147483647, not 99"],
    [{ maxRestarts: 1.5 }, "The option 'maxRestarts' must be a whole number of 0 or more, or Infinity, not 1.5"],
    [{ steering: 'left' }, "The option 'steering' must be 'hash' or 'random' or 'cpu' or 'client', not 'left'"],
    [{ threads: 'yes' }, "The option 'threads' must be true or false, not 'yes'"],
    [{ cwd: 1 }, "The option 'cwd' must be a string, not 1"],
    [{ worker: 3 }, "The option 'options.worker' is unknown. Did you mean 'workers'?"],
  ])('%j', (options, message) => {
    expect(() => new Supervisor({ script: 'x.js', ...options } as SupervisorOptions)).toThrow(message)
  })

  test('a misspelt variable of the workers is warned of, once', async () => {
    const env = { ...process.env, REUSEPORT_FALBACK: 'exclusive' }
    await using one = supervise({ how: 'plain', port: await freePort() }, { env })
    await one.supervisor.start()
    expect(one.told.filter(([name]) => name === 'warning')).toEqual([
      ['warning', 'the environment variable "REUSEPORT_FALBACK" has no effect: did you mean REUSEPORT_FALLBACK?'],
    ])
  })

  test.each(['object', 'text'])('the script by its URL, as %s', async (how) => {
    const url = pathToFileURL(script)
    const port = await freePort()
    await using one = supervise({ how: 'plain', port }, { script: how === 'text' ? url.href : url, workers: 1 })
    await one.supervisor.start()
    expect((await get(port)).me).toBeTruthy()
  })

  test('auto: as many as there is parallelism or a quota, and told why; scale too', async () => {
    const port = await freePort()
    await using one = supervise({ how: 'plain', port }, { workers: 'auto' })
    await one.supervisor.start()
    const { workers, from } = automaticWorkers()
    expect(workers).toBeLessThanOrEqual(availableParallelism())
    expect(one.supervisor.workers).toHaveLength(workers)
    expect(one.told[0]).toEqual(['workers:auto', workers, from])
    await one.supervisor.scale(workers + 1)
    await one.supervisor.scale('auto')
    expect(one.told.filter(([name]) => name === 'scaled')).toEqual([
      ['scaled', workers + 1],
      ['scaled', workers],
    ])
  })
})

test('a supervisor is for one run', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port })
  await expect(one.supervisor.reload()).rejects.toMatchObject({ code: 'ERR_REUSEPORT_SUPERVISOR_STATE' })
  await one.supervisor.start()
  await expect(one.supervisor.start()).rejects.toMatchObject({ code: 'ERR_REUSEPORT_SUPERVISOR_STATE' })
  await one.supervisor.stop()
  await expect(one.supervisor.reload()).rejects.toMatchObject({ code: 'ERR_REUSEPORT_SUPERVISOR_STATE' })
  await expect(one.supervisor.scale(3)).rejects.toMatchObject({ code: 'ERR_REUSEPORT_SUPERVISOR_STATE' })
})

test('reloads that are asked for at once are one after the first', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port })
  await one.supervisor.start()
  const first = one.supervisor.reload()
  // The first has begun by then.
  await once(one.supervisor, 'reload:start')
  await Promise.all([first, one.supervisor.reload(), one.supervisor.reload()])
  expect(one.supervisor.generation).toBe(3)
})

test('stop in the middle of a reload: nothing is left', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port })
  await one.supervisor.start()
  const reload = one.supervisor.reload()
  await once(one.supervisor, 'worker:start')
  await one.supervisor.stop()
  await expect(reload).rejects.toThrow('worker 0 was stopped before it was ready')
  expect(one.supervisor.workers).toEqual([])
  expect(listenersOn(port)).toEqual([])
})
