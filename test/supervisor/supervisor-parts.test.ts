// The parts of a supervisor that need no worker: what systemd gives, ports, sockets, pinning, control.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AddonState } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { reloadSupervisor } from '../../src/supervisor/commands.js'
import { ControlServer, openControl } from '../../src/supervisor/control.js'
import { ask, controlFiles, supervisors } from '../../src/supervisor/control-client.js'
import type { SupervisorStatus } from '../../src/supervisor/control-protocol.js'
import { givenSockets } from '../../src/supervisor/given-sockets.js'
import { keepDescriptor, keepHandle } from '../../src/supervisor/kept-socket.js'
import { SupervisorOptionError } from '../../src/supervisor/option-values.js'
import { parseOptions } from '../../src/supervisor/options.js'
import { assertPinnable, pinned } from '../../src/supervisor/pin.js'
import { checkPreconditions } from '../../src/supervisor/preconditions.js'
import { ReservedPorts } from '../../src/supervisor/reserved-ports.js'
import { openOwnFolder, ownUid, RuntimeFolder } from '../../src/supervisor/runtime-folder.js'
import type { Supervisor } from '../../src/supervisor/supervisor.js'
import { notifySystemd, systemdSockets } from '../../src/supervisor/systemd.js'
import { listening } from '../support/fake-worker.js'
import { portOf } from '../support/listeners.js'
import { openSockets } from '../support/sockets.js'

const fakes = vi.hoisted(() => ({ state: undefined as unknown, balanced: true, tells: true }))
vi.mock('../../src/native/peer.js', async (load) => {
  const real = await load<typeof import('../../src/native/peer.js')>()
  return {
    ...real,
    get TELLS_PEERS() {
      return fakes.tells
    },
  }
})
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
    expect(new Set(reserved.datagramPorts).size).toBe(8)
    expect(openSockets().length - before.length).toBe(16)
    reserved.close()
  })

  test('of IPv4 where there is no IPv6', async () => {
    const { addon } = (await import('../../src/native/addon.js')).loadAddon() as AddonState & { loaded: true }
    const reservePort: Addon['reservePort'] = (request, address) =>
      request.family === 6 ? { errno: -97, syscall: 'socket' } : addon.reservePort(request, address)
    await answering({ reservePort })
    const reserved = new ReservedPorts()
    expect(reserved.ports).toHaveLength(8)
    reserved.close()
  })

  test('of none where nothing can be opened or bound, without the addon, or on another system', async () => {
    await answering({ reservePort: () => EMFILE })
    expect(new ReservedPorts().ports).toEqual([])
    await answering({ localAddress: () => ({ errno: -105, syscall: 'getsockname' }) })
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
  test('of a process: by its handle, which is closed once', async () => {
    const { address, family, port } = listening('a')
    await answering({ localAddress: (fd) => (fd === 7 ? { address, family, port } : { ...EMFILE, syscall: 'x' }) })
    const close = vi.fn()
    for (const none of [undefined, null, 7, {}, { fd: '7' }, { fd: -1, close }]) {
      expect(keepHandle(listening('a'), none)).toBeUndefined()
    }
    const kept = keepHandle(listening('a'), { fd: 7, close })
    expect(kept).toMatchObject({ id: 'a', fd: 7, isGiven: false })
    close.mockClear()
    kept?.close()
    kept?.close()
    expect(close).toHaveBeenCalledTimes(1)
    // One that is bound elsewhere, or nowhere, is not kept and not left open.
    for (const fd of [7, 8]) {
      close.mockClear()
      expect(keepHandle({ ...listening('a'), port: port + fd - 7 + (fd === 7 ? 1 : 0) }, { fd, close })).toBeUndefined()
      expect(close).toHaveBeenCalledTimes(1)
    }
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
    const warn = vi.fn()
    expect(givenSockets([], warn)).toEqual([])
    const of = (fd: number, name?: string) => () => givenSockets([{ fd, name }], warn)
    expect(of(-1)).toThrow(SupervisorOptionError)
    expect(of(1.5)).toThrow("The option 'sockets[0].fd' must be a descriptor, 0 or more, not 1.5")
    expect(of(1_000_000)).toThrow(/must be the descriptor of a listening TCP socket \(error: EBADF\), not 1000000/)
    expect(of(1_000_000, 'web')).toThrow(/must be the descriptor of a listening TCP socket \(name: web, error: EBADF\)/)
    fakes.state = MISSING
    expect(of(3)).toThrow("the option 'sockets' needs the native addon: there is none")
    expect(warn).not.toHaveBeenCalled()
  })

  test('of others that do not listen, or not for TCP, are told and left alone', async () => {
    const { addon } = (await import('../../src/native/addon.js')).loadAddon() as AddonState & { loaded: true }
    const open = (transport: 'tcp' | 'udp'): number => {
      const fd = addon.openSocket({ transport, family: 4, ipv6Only: false, multipath: false }) as number
      expect(addon.bind(fd, 4, '127.0.0.1', 0)).toBe(undefined)
      return fd
    }
    const [datagrams, silent, listener] = [open('udp'), open('tcp'), open('tcp')]
    expect(addon.listen(listener, 8)).toBe(undefined)
    const unix = net.createServer().listen(`\0reuseport-given-${process.pid}`)
    const { fd } = (unix as unknown as { _handle: { fd: number } })._handle
    const warn = vi.fn()
    const all = [{ fd: datagrams, name: 'quic' }, { fd: silent }, { fd }, { fd: listener, name: 'web' }]
    expect(givenSockets(all, warn)).toMatchObject([{ id: 'given:3', fd: listener }])
    const text = "of the option 'sockets' is not a listening TCP socket, and is left alone"
    expect(warn.mock.calls).toEqual([
      [`descriptor ${datagrams} (name: quic) ${text}`],
      [`descriptor ${silent} ${text}`],
      [`descriptor ${fd} ${text}`],
    ])
    for (const one of [datagrams, silent, listener]) expect(addon.close(one)).toBe(undefined)
    unix.close()
    // Where the system does not tell.
    await answering({
      localAddress: () => ({ address: '127.0.0.1', family: 'IPv4', port: 1 }),
      acceptQueue: () => ({ errno: -38, syscall: 'getsockopt' }),
    })
    expect(givenSockets([{ fd: 7 }], warn)).toMatchObject([{ fd: 7, port: 1 }])
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

test.each(['*.log', [''], [1], null])('what is left out must be strings: %j', (watchIgnore) => {
  const parse = () => parseOptions({ script: 'a.js', watchIgnore: watchIgnore as never })
  if (watchIgnore === null) expect(parse().watchIgnore).toEqual([])
  else expect(parse).toThrow(/^The option 'watchIgnore' must be an array of strings that are not empty, not/)
})

test('without the addon and where Node could share: told why not, or one socket for all', async () => {
  fakes.state = MISSING
  vi.resetModules()
  const fresh = await import('../../src/supervisor/preconditions.js')
  const settings = parseOptions({ script: import.meta.filename, fallback: 'exclusive' })
  const warn = vi.fn()
  expect(fresh.checkPreconditions(settings, warn)).toBe(true)
  expect(warn.mock.lastCall?.[0]).toMatch(/^all workers accept from one socket.*: .*there is none/)
  expect(() => fresh.checkPreconditions({ ...settings, fallback: 'error' }, warn)).toThrow(/there is none/)
  fakes.state = undefined
  warn.mockClear()
  expect(checkPreconditions(settings, warn)).toBe(false)
  expect(warn).not.toHaveBeenCalled()
})

describe('where a supervisor answers', () => {
  let temporary: string

  beforeEach(() => {
    temporary = mkdtempSync(path.join(tmpdir(), 'reuseport-control-'))
    vi.stubEnv('TMPDIR', temporary)
  })

  afterEach(() => rmSync(temporary, { recursive: true }))

  const own = (): string => path.join(temporary, `reuseport-${process.geteuid?.()}`)

  const STATUS: SupervisorStatus = {
    pid: process.pid,
    script: 'x.js',
    state: 'running',
    generation: 1,
    startedAt: new Date(0).toISOString(),
    workers: [],
  }
  const OBEDIENT = {
    workers: [],
    status: () => STATUS,
    vitals: vi.fn(),
    reload: vi.fn(),
    scale: vi.fn(),
    stop: vi.fn(),
  }

  const serve = (
    reload: () => Promise<unknown> = async () => undefined,
    status: () => unknown = () => STATUS,
  ): Promise<ControlServer> => ControlServer.open(async ({ command }) => (command === 'status' ? status() : reload()))

  /** Sends this, and gives all that comes back. */
  async function talk(file: string, ...said: readonly string[]): Promise<string> {
    const socket = net.connect(file).setEncoding('utf8')
    let heard = ''
    socket
      .on('error', () => {})
      .on('data', (text) => {
        heard += String(text)
      })
    for (const part of said) {
      socket.write(part)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    if (!socket.destroyed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    return heard
  }

  test('what it knows, what it does not know, what fails, and what is too long', async () => {
    const server = await serve(() => Promise.reject('a text'))
    const [{ file, pid } = { file: '', pid: 0 }] = controlFiles()
    expect(pid).toBe(process.pid)
    expect(path.dirname(file)).toBe(own())
    expect(await ask(file, 'status')).toEqual(STATUS)
    expect(await supervisors()).toEqual([STATUS])
    await expect(ask(file, 'reload')).rejects.toThrow('a text')
    await expect(ask(file, 'dance' as 'status')).rejects.toThrow(
      "its version of this package is an earlier one, which does not know 'dance'",
    )
    expect(await talk(file, 'x'.repeat(300))).toBe('')
    // In pieces it is the same line, and one without a version is answered too.
    expect(JSON.parse(await talk(file, 'sta', 'tus\n'))).toEqual({ version: 1, done: STATUS })
    expect(await talk(file, 'status 7\n')).toContain('"version":1,"done"')
    expect(await talk(file, '\u001b[2J\n')).toBe('{"version":1,"failed":"this is not a request"}\n')
    server.close()
    expect(controlFiles()).toEqual([])
    expect(readdirSync(own())).toEqual([])
    await expect(ask(file, 'status')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a client that says nothing is not waited for, and many are turned away', async () => {
    const server = await serve()
    const [{ file } = { file: '' }] = controlFiles()
    const silent = Array.from({ length: 70 }, () => net.connect(file).on('error', () => {}))
    const ended = silent.map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())))
    await Promise.race(ended)
    server.close()
    await Promise.all(ended)
  })

  test('a reload that takes long says so meanwhile', async () => {
    let finish = (): void => {}
    const server = await serve(() => new Promise<void>((resolve) => (finish = resolve)))
    const [{ file } = { file: '' }] = controlFiles()
    let isDone = false
    const reloading = ask(file, 'reload').then(() => {
      isDone = true
    })
    // Longer than an answer may take.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(isDone).toBe(false)
    finish()
    await reloading
    server.close()
  })

  test('one that stands still, or says nonsense, is told, with the pid that the kernel names', async () => {
    const warned: string[] = []
    const hung = await serve(undefined, () => new Promise(() => {}))
    expect(await supervisors((text) => warned.push(text))).toEqual([])
    hung.close()
    for (const answer of [{ pid: 7 }, { ...STATUS, generation: '\u001b[31m1' }, 'x']) {
      const server = await serve(undefined, () => answer)
      expect(await supervisors((text) => warned.push(text))).toEqual([])
      server.close()
    }
    // Whatever it says of itself: its pid, and the sockets that it holds, are the kernel's to say.
    const worker = { slot: 0, pid: 1, generation: 1, state: 'ready', startedAt: STATUS.startedAt, sockets: [1, 2] }
    const liar = await serve(undefined, () => ({ ...STATUS, pid: 1, workers: [worker] }))
    expect(await supervisors()).toEqual([{ ...STATUS, workers: [{ ...worker, sockets: [] }] }])
    liar.close()
    const me = `process ${process.pid} of uid ${process.geteuid?.()}:`
    expect(warned).toEqual([
      `${me} it does not answer in time`,
      `${me} workers is not a list of at most 4096`,
      `${me} generation is not a whole number`,
      `${me} its status is not an object`,
    ])
  })

  test('reload: the only one, the one that is named, none, or several', async () => {
    await expect(reloadSupervisor()).rejects.toMatchObject({
      code: 'ERR_REUSEPORT_CONTROL',
      message: 'this user has no such supervisor (running: none)',
    })
    const asked: number[] = []
    const one = await serve(async () => asked.push(1))
    await reloadSupervisor()
    await reloadSupervisor(process.pid)
    expect(asked).toEqual([1, 1])
    await expect(reloadSupervisor(1)).rejects.toThrow(`this user has no such supervisor (running: ${process.pid})`)
    const two = await serve(async () => asked.push(2))
    await expect(reloadSupervisor()).rejects.toMatchObject({
      code: 'ERR_REUSEPORT_AMBIGUOUS',
      message: `there are several supervisors: give the pid, script or port of one (running: ${process.pid}, ${process.pid})`,
      supervisors: [STATUS, STATUS],
    })
    one.close()
    two.close()
  })

  test.each([
    ['of which others may write', (at: string) => spawnSync('mkdir', ['-m', '777', at])],
    ['that is a link', (at: string) => symlinkSync(tmpdir(), at)],
    ['that is a file', (at: string) => writeFileSync(at, '')],
  ])('a folder %s is not used, and another one is', async (_what, make) => {
    make(own())
    const control = await openControl(OBEDIENT, vi.fn())
    const other = readdirSync(temporary).find((name) => name !== path.basename(own()))
    expect(other).toMatch(/^reuseport-\d+-[A-Za-z0-9]{6}$/)
    expect(readdirSync(path.join(temporary, String(other)))).toHaveLength(1)
    expect(await supervisors()).toEqual([STATUS])
    // A second one finds it.
    const second = await openControl(OBEDIENT, vi.fn())
    expect(readdirSync(temporary)).toHaveLength(2)
    second?.close()
    control?.close()
  })

  test('a folder of another user, or a name too long for a socket', () => {
    mkdirSync(own(), { mode: 0o700 })
    expect(() => RuntimeFolder.open(own(), 77)).toThrow(`${own()} belongs to uid ${process.geteuid?.()}`)
    const opened = RuntimeFolder.open(own(), process.geteuid?.() ?? 0)
    expect(() => opened.fileIn('x'.repeat(200))).toThrow('set TMPDIR to a shorter one')
    opened.close()
  })

  test('where the system tells no peers, the folder has to do', async () => {
    fakes.tells = false
    const control = await serve()
    expect(await supervisors()).toEqual([STATUS])
    control.close()
    fakes.tells = true
  })

  test('no folder at all is a warning', async () => {
    vi.stubEnv('TMPDIR', path.join(temporary, 'file'))
    writeFileSync(path.join(temporary, 'file'), '')
    const warn = vi.fn()
    expect(await openControl(OBEDIENT, warn)).toBeUndefined()
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining('reuseport ls and reuseport reload cannot reach this supervisor: '),
    )
  })

  test('a folder that is not there is made, with those above it; one in which nobody can make any ends at once', (context) => {
    if (process.platform !== 'linux') context.skip('/proc is a thing of Linux')
    vi.stubEnv('TMPDIR', path.join(temporary, 'not', 'there'))
    openOwnFolder(ownUid()).close()
    expect(existsSync(path.join(temporary, 'not', 'there', path.basename(own())))).toBe(true)
    vi.stubEnv('TMPDIR', '/proc/none/there')
    // Node's `recursive` never comes back from it.
    expect(() => openOwnFolder(ownUid())).toThrow(/ENOENT/)
  })

  test('a path longer than that of a unix socket is no matter', async (context) => {
    if (process.platform !== 'linux') context.skip('paths through descriptors are a thing of Linux')
    const long = path.join(temporary, 'd'.repeat(120))
    mkdirSync(long)
    vi.stubEnv('TMPDIR', long)
    const control = await serve()
    expect(await supervisors()).toEqual([STATUS])
    expect(readdirSync(path.join(long, path.basename(own())))).toHaveLength(1)
    control.close()
    expect(readdirSync(path.join(long, path.basename(own())))).toEqual([])
  })

  test('what a supervisor that died has left is taken away; what is none stays', async () => {
    const control = await serve()
    const name = (pid: number): string => `${pid}.0123456789abcdef.sock`
    // A socket that refuses connections: closing it in Node would remove the file.
    const bind = 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'
    spawnSync('python3', ['-c', bind, path.join(own(), name(2))])
    spawnSync('python3', ['-c', bind, path.join(own(), '2.sock')])
    writeFileSync(path.join(own(), name(3)), 'no socket')
    symlinkSync(path.join(own(), name(2)), path.join(own(), name(4)))
    const warned: string[] = []
    expect(await supervisors((text) => warned.push(text))).toEqual([STATUS])
    expect(warned).toEqual([])
    const left = readdirSync(own()).filter((one) => !one.startsWith(`${process.pid}.`))
    expect(left.toSorted()).toEqual(['2.sock', name(3), name(4)].toSorted())
    control.close()
  })

  test('the file names another process than answers', async () => {
    const control = await serve()
    const [file = ''] = readdirSync(own())
    const wrong = `1${file.slice(file.indexOf('.'))}`
    linkSync(path.join(own(), file), path.join(own(), wrong))
    const warned: string[] = []
    expect(await supervisors((text) => warned.push(text))).toEqual([STATUS])
    expect(warned).toEqual([`${path.join(own(), wrong)}: process ${process.pid} answers, not process 1`])
    await expect(ask(path.join(own(), wrong), 'status')).rejects.toMatchObject({ code: 'ERR_REUSEPORT_CONTROL' })
    expect(existsSync(path.join(own(), wrong))).toBe(true)
    control.close()
  })
})
