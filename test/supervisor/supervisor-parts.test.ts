// The parts of a supervisor that need no worker: files that change, what systemd gives, ports, sockets, pinning, control.
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AddonState } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { ask, ControlServer, controlFiles, openControl, supervisors } from '../../src/supervisor/control.js'
import { givenSockets } from '../../src/supervisor/given-sockets.js'
import { keepDescriptor, keepHandle } from '../../src/supervisor/kept-socket.js'
import { parseOptions, SupervisorOptionError } from '../../src/supervisor/options.js'
import { assertPinnable, pinned } from '../../src/supervisor/pin.js'
import { checkPreconditions } from '../../src/supervisor/preconditions.js'
import { ReservedPorts } from '../../src/supervisor/reserved-ports.js'
import type { Supervisor } from '../../src/supervisor/supervisor.js'
import { notifySystemd, systemdSockets } from '../../src/supervisor/systemd.js'
import { Watch } from '../../src/supervisor/watch.js'
import { listening } from '../support/fake-worker.js'
import { portOf } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

const fakes = vi.hoisted(() => ({ state: undefined as unknown, balanced: true }))
vi.mock('../../src/native/addon.js', async (load) => {
  const real = await load<typeof import('../../src/native/addon.js')>()
  return { ...real, loadAddon: () => fakes.state ?? real.loadAddon() }
})

const MISSING: AddonState = { loaded: false, reason: 'there is none', cause: undefined }
const EMFILE = { errno: -24, syscall: 'socket' }
const EPERM = { errno: -1, syscall: 'sched_setaffinity' }

/** The addon with other answers. */
async function answering(answers: Partial<Addon>): Promise<void> {
  fakes.state = undefined
  const { loadAddon } = await import('../../src/native/addon.js')
  const real = loadAddon()
  if (!real.loaded) throw new Error(real.reason)
  fakes.state = { loaded: true, addon: { ...real.addon, ...answers } }
}

let before: readonly string[]
beforeEach(() => {
  before = openSockets()
})

afterEach(async () => {
  fakes.state = undefined
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  await expect.poll(openSockets).toEqual(before)
})

describe('files that change', () => {
  let folder: string
  let watch: Watch
  const changed = vi.fn()
  const failed = vi.fn()

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'reuseport-watch-'))
    for (const name of ['kept', 'kept/deep', 'node_modules', '.git']) mkdirSync(path.join(folder, name))
    writeFileSync(path.join(folder, 'file.js'), '')
    changed.mockReset()
    failed.mockReset()
    watch = new Watch(folder, changed, failed)
  })

  afterEach(() => {
    watch.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('also in folders below, and in new ones; many at once are one', async () => {
    writeFileSync(path.join(folder, 'kept/deep/file.js'), '')
    writeFileSync(path.join(folder, 'file.js'), 'more')
    await expect.poll(() => changed.mock.calls.length).toBe(1)
    mkdirSync(path.join(folder, 'new'))
    await expect.poll(() => changed.mock.calls.length).toBe(2)
    writeFileSync(path.join(folder, 'new/file.js'), '')
    await expect.poll(() => changed.mock.calls.length).toBe(3)
    expect(failed).not.toHaveBeenCalled()
  })

  test('not where packages are, nor in hidden folders', async () => {
    writeFileSync(path.join(folder, 'node_modules/file.js'), '')
    writeFileSync(path.join(folder, '.git/file'), '')
    writeFileSync(path.join(folder, '.hidden'), '')
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(changed).not.toHaveBeenCalled()
  })

  test('a folder that goes is no error', async () => {
    rmSync(path.join(folder, 'kept'), { recursive: true })
    await expect.poll(() => changed.mock.calls.length).toBeGreaterThan(0)
    expect(failed).not.toHaveBeenCalled()
    new Watch(path.join(folder, 'nowhere'), changed, failed).close()
    expect(failed).not.toHaveBeenCalled()
  })

  test('what cannot be watched for another reason is told', () => {
    new Watch('\0', changed, failed).close()
    expect(failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  })
})

describe('systemd', () => {
  const give = (environment: Record<string, string>): ReturnType<typeof systemdSockets> => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
    return systemdSockets()
  }

  test('sockets with names, some, and none; the variables are taken out', () => {
    const own = String(process.pid)
    expect(give({ LISTEN_PID: own, LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:' })).toEqual([
      { fd: 3, name: 'web' },
      { fd: 4, name: undefined },
    ])
    expect(process.env).not.toHaveProperty('LISTEN_FDS')
    expect(give({ LISTEN_PID: own, LISTEN_FDS: '1' })).toEqual([{ fd: 3, name: undefined }])
    expect(give({ LISTEN_PID: own })).toEqual([])
    expect(give({ LISTEN_PID: own, LISTEN_FDS: '-1' })).toEqual([])
    expect(give({ LISTEN_PID: '1', LISTEN_FDS: '1' })).toEqual([])
    expect(give({})).toEqual([])
  })

  test('it is not told without the addon: one warning, not one for each event', () => {
    fakes.state = MISSING
    vi.stubEnv('NOTIFY_SOCKET', '@reuseport-nobody')
    const listeners = new Map<string, () => void>()
    const on = (name: string, tell: () => void): void => void listeners.set(name, tell)
    const emit = vi.fn()
    notifySystemd({ workers: [], generation: 1, on, once: on, emit } as unknown as Supervisor)
    for (const tell of listeners.values()) tell()
    expect(emit.mock.calls).toEqual([['warning', 'cannot notify systemd (NOTIFY_SOCKET): there is none']])
    listeners.clear()
    vi.stubEnv('NOTIFY_SOCKET', '')
    notifySystemd({ on, once: on } as unknown as Supervisor)
    expect(listeners.size).toBe(0)
  })
})

describe('ports for the calls with port 0', () => {
  test('as many as there may be, each another, gone when they are closed', () => {
    const reserved = new ReservedPorts()
    expect(new Set(reserved.ports).size).toBe(8)
    expect(openSockets().length - before.length).toBe(8)
    reserved.close()
  })

  test('of IPv4 where there is no IPv6', async () => {
    const { addon } = (await import('../../src/native/addon.js')).loadAddon() as AddonState & { loaded: true }
    const openSocket: Addon['openSocket'] = (request) =>
      request.family === 6 ? { errno: -97, syscall: 'socket' } : addon.openSocket(request)
    await answering({ openSocket })
    const reserved = new ReservedPorts()
    expect(reserved.ports).toHaveLength(8)
    reserved.close()
  })

  test('of none where nothing can be opened or bound, without the addon, or on another system', async () => {
    await answering({ openSocket: () => EMFILE })
    expect(new ReservedPorts().ports).toEqual([])
    await answering({ bind: () => ({ errno: -98, syscall: 'bind' }) })
    expect(new ReservedPorts().ports).toEqual([])
    fakes.state = MISSING
    const none = new ReservedPorts()
    expect(none.ports).toEqual([])
    none.close()
    fakes.state = undefined
    vi.spyOn(process, 'platform', 'get').mockReturnValue('freebsd')
    expect(new ReservedPorts().ports).toEqual([])
  })
})

describe('sockets', () => {
  test('of a process: by its handle, which is closed once', () => {
    const close = vi.fn()
    for (const none of [undefined, null, 7, {}, { fd: '7' }, { fd: -1, close }]) {
      expect(keepHandle(listening('a'), none)).toBeUndefined()
    }
    const kept = keepHandle(listening('a'), { fd: 7, close })
    expect(kept).toMatchObject({ id: 'a', fd: 7, isGiven: false })
    kept?.close()
    kept?.close()
    expect(close).toHaveBeenCalledTimes(1)
  })

  test('of a thread: by a descriptor that is still the same socket', async () => {
    const server = net.createServer()
    server.listen(0)
    await once(server, 'listening')
    const port = portOf(server)
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle
    const kept = keepDescriptor(listening('a', port), fd)
    expect(kept?.fd).not.toBe(fd)
    kept?.close()
    expect(keepDescriptor(listening('a', port + 1), fd)).toBeUndefined()
    expect(keepDescriptor(listening('a', port), 1_000_000)).toBeUndefined()
    await answering({ localAddress: () => ({ errno: -9, syscall: 'getsockname' }) })
    expect(keepDescriptor(listening('a', port), fd)).toBeUndefined()
    fakes.state = MISSING
    expect(keepDescriptor(listening('a', port), fd)).toBeUndefined()
    server.close()
    await once(server, 'close')
  })

  test('of others', () => {
    expect(givenSockets([])).toEqual([])
    const of = (fd: number, name?: string) => () => givenSockets([{ fd, name }])
    expect(of(-1)).toThrow(SupervisorOptionError)
    expect(of(1.5)).toThrow("The option 'sockets[0].fd' must be a descriptor, 0 or more, not 1.5")
    expect(of(1_000_000)).toThrow(/must be the descriptor of a listening TCP socket \(error: EBADF\), not 1000000/)
    expect(of(1_000_000, 'web')).toThrow(/must be the descriptor of a listening TCP socket \(name: web, error: EBADF\)/)
    fakes.state = MISSING
    expect(of(3)).toThrow("the option 'sockets' needs the native addon: there is none")
  })
})

describe('one CPU', () => {
  test('what cannot be is told, and the work is not done', async () => {
    const work = vi.fn()
    await answering({ setCpus: () => EPERM })
    expect(() => pinned(0, work)).toThrow('workers cannot be pinned: sched_setaffinity EPERM')
    await answering({ getCpus: () => ({ errno: -38, syscall: 'sched_getaffinity' }) })
    expect(assertPinnable).toThrow('workers cannot be pinned: sched_getaffinity ENOSYS')
    fakes.state = MISSING
    expect(assertPinnable).toThrow('workers cannot be pinned: there is none')
    expect(work).not.toHaveBeenCalled()
    pinned(undefined, work)
    expect(work).toHaveBeenCalledTimes(1)
  })
})

test('options that are none', () => {
  for (const none of [undefined, null, 'a.js']) {
    expect(() => parseOptions(none as never)).toThrow(/The option 'options' must be an object, not/)
  }
})

test('without the addon and where Node could share: told why not, or one socket for all', async () => {
  fakes.state = MISSING
  vi.resetModules()
  const fresh = await import('../../src/supervisor/preconditions.js')
  const settings = parseOptions({ script: import.meta.filename, fallback: 'exclusive' })
  const { isShared, warning } = fresh.checkPreconditions(settings)
  expect(isShared).toBe(true)
  expect(warning).toMatch(/^all workers accept from one socket.*: .*there is none/)
  expect(() => fresh.checkPreconditions({ ...settings, fallback: 'error' })).toThrow(/there is none/)
  fakes.state = undefined
  expect(checkPreconditions(settings)).toEqual({ isShared: false, warning: undefined })
})

describe('where a supervisor answers', () => {
  let temporary: string

  beforeEach(() => {
    temporary = mkdtempSync(path.join(tmpdir(), 'reuseport-control-'))
    vi.stubEnv('TMPDIR', temporary)
  })

  afterEach(() => rmSync(temporary, { recursive: true }))

  const own = (): string => path.join(temporary, `reuseport-${process.getuid?.()}`)

  test('what it does not know, what fails, and what is too long', async () => {
    const server = await ControlServer.open(async (command) => {
      if (command === 'status') return { pid: 1 }
      throw 'a text'
    })
    const [{ file } = { file: '' }] = controlFiles()
    expect(await ask(file, 'status')).toEqual({ pid: 1 })
    await expect(ask(file, 'reload')).rejects.toThrow('a text')
    await expect(ask(file, 'dance' as 'status')).rejects.toThrow(
      "unknown command 'dance': the supervisor answers 'status' and 'reload'",
    )
    const long = net.connect(file)
    const closed = once(long, 'close')
    long.on('error', () => {}).write('x'.repeat((1 << 20) + 1))
    await closed
    // In pieces it is the same line.
    const slow = net.connect(file).setEncoding('utf8')
    slow.write('sta')
    await new Promise((resolve) => setTimeout(resolve, 20))
    slow.write('tus\n')
    expect(await once(slow, 'data')).toEqual(['{"done":{"pid":1}}\n'])
    slow.destroy()
    await once(slow, 'close')
    server.close()
    expect(controlFiles()).toEqual([])
    await expect(ask(file, 'status')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a folder of others is not used', async () => {
    mkdirSync(own())
    chmodSync(own(), 0o777)
    const warn = vi.fn()
    expect(await openControl({ status: vi.fn(), reload: vi.fn() }, warn)).toBeUndefined()
    expect(warn).toHaveBeenCalledWith(
      `reuseport ls and reuseport reload cannot reach this supervisor: ${own()} must be a folder that only this user can access`,
    )
  })

  test('what a supervisor that died has left is taken away; what is none stays', async () => {
    const control = await openControl({ status: vi.fn(), reload: vi.fn().mockResolvedValue(undefined) }, vi.fn())
    const [{ file } = { file: '' }] = controlFiles()
    expect(await ask(file, 'reload')).toBeUndefined()
    const dead = path.join(own(), '1.sock')
    const server = net.createServer().listen(dead)
    await once(server, 'listening')
    const gone = path.join(own(), '2.sock')
    // A socket that nobody listens on any more: closing would remove the file.
    const { spawnSync } = await import('node:child_process')
    spawnSync('python3', ['-c', 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', gone])
    writeFileSync(path.join(own(), 'notes'), '')
    writeFileSync(path.join(own(), '3.sock'), 'no socket')
    server.on('connection', (socket) => socket.destroy())
    expect(
      controlFiles()
        .map(({ pid }) => pid)
        .sort(),
    ).toEqual([1, 2, 3, process.pid].sort())
    await supervisors()
    expect(readdirSync(own())).not.toContain('2.sock')
    expect(existsSync(dead)).toBe(true)
    server.close()
    await once(server, 'close')
    control?.close()
  })

  test('an ordinary user sees its own alone', async () => {
    const control = await openControl({ status: vi.fn(), reload: vi.fn() }, vi.fn())
    mkdirSync(path.join(temporary, 'reuseport-77'))
    writeFileSync(path.join(temporary, 'reuseport-77/5.sock'), '')
    const all = controlFiles().map(({ pid }) => pid)
    expect(all.includes(5)).toBe(process.getuid?.() === 0)
    vi.spyOn(process, 'getuid').mockReturnValue(77)
    expect(controlFiles().map(({ pid }) => pid)).toEqual([5])
    vi.spyOn(process, 'getuid').mockReturnValue(78)
    expect(controlFiles()).toEqual([])
    vi.restoreAllMocks()
    control?.close()
  })
})
