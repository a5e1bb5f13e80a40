// What the kernel may answer and hardly ever does: what is told then, and that nothing stays open.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ReusePortSteeringError } from '../../src/common/errors.js'
import { Deadline } from '../../src/common/waiting.js'
import { ReusePortGroupFullError } from '../../src/group/group-errors.js'
import type { GroupMember } from '../../src/group/group-types.js'
import { lockForPolicy, lockGroup } from '../../src/group/lock.js'
import { type Member, memberOf } from '../../src/group/member.js'
import { admit } from '../../src/group/member-limit.js'
import { groupSocketName } from '../../src/group/name.js'
import { seeProcesses } from '../../src/group/processes.js'
import { groupsOf, type SeenProcesses } from '../../src/group/rows.js'
import { connectionReader, readSocketTable } from '../../src/group/socket-table.js'
import { inheritOrOpen } from '../../src/listen/inherit.js'
import { ReusePortSocket, type SocketRequest } from '../../src/listen/socket.js'
import { connectAbstract, listenAbstract } from '../../src/native/abstract-socket.js'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon, NameOwner, SocketRow } from '../../src/native/addon-contract.js'
import { OwnedDescriptor } from '../../src/native/owned-descriptor.js'
import { permitted } from '../../src/native/permitted-addon.js'
import type { ListenableServer } from '../../src/node/server.js'
import { ReusePortOptionDeniedError } from '../../src/options/option-errors.js'
import { takeMember } from '../../src/steering/apply-policy.js'
import { ask, connectTo, readMessages, send, tellKeeper } from '../../src/steering/keeper-channel.js'
import { KeeperServer } from '../../src/steering/keeper-server.js'
import { PolicyInForce } from '../../src/steering/policy-in-force.js'
import { attachChecked, detach, learnSlots, steerAway } from '../../src/steering/steering.js'
import { answering, boundSocket, failure } from '../support/answering-addon.js'
import { openSockets } from '../support/sockets.js'

const PERMIT = failure('EPERM', 'setsockopt')

let before: readonly string[]
beforeEach(() => {
  before = openSockets()
})

afterEach(async () => {
  vi.restoreAllMocks()
  await expect.poll(openSockets).toEqual(before)
})

function soon(): Deadline {
  return new Deadline(1000, undefined)
}

describe('the table of sockets', () => {
  const table = (addon: Addon): unknown => readSocketTable(addon, 'inspectGroups', 'tcp', ['listening'], 1)

  test.each(['ENOENT', 'EAFNOSUPPORT'] as const)('a kernel without IPv6 (%s) has those of IPv4', (code) => {
    const dumpSockets: Addon['dumpSockets'] = ({ family }) => (family === 6 ? failure(code, 'recvfrom') : [])
    expect(table(answering({ dumpSockets }))).toEqual([])
  })

  test.each([
    ['ENOENT', 4],
    ['EPERM', 6],
  ] as const)('%s of family %i is told', (code, failing) => {
    const dumpSockets: Addon['dumpSockets'] = ({ family }) => (family === failing ? failure(code, 'recvfrom') : [])
    expect(() => table(answering({ dumpSockets }))).toThrow(
      expect.objectContaining({ code: 'ERR_REUSEPORT_INSPECTION_UNAVAILABLE', reason: `recvfrom ${code}` }),
    )
  })

  test('connections: by port, or all at once where there are many ports; once for each', () => {
    const asked: number[] = []
    const rows = Float64Array.of(11, 80, 0, 12, 80, 1, 0, 80, 0, 13, 81, 0)
    const dumpConnections: Addon['dumpConnections'] = ({ port }) => {
      asked.push(port)
      return { addresses: ['127.0.0.1', '127.0.0.2'], rows }
    }
    const few = connectionReader(answering({ dumpConnections }), 'inspectGroups', new Set([80]))
    expect([...few({ family: 'IPv4', address: '127.0.0.1', port: 80 })]).toEqual([11])
    expect([...few({ family: 'IPv4', address: '0.0.0.0', port: 80 })]).toEqual([11, 12])
    const many = connectionReader(answering({ dumpConnections }), 'inspectGroups', new Set(Array(9).keys()))
    expect([...many({ family: 'IPv4', address: '127.0.0.1', port: 81 })]).toEqual([13])
    many({ family: 'IPv4', address: '127.0.0.1', port: 80 })
    expect(asked).toEqual([80, 0])
    const none = connectionReader(
      answering({ dumpConnections: () => failure('ENOBUFS', 'recvfrom') }),
      'inspectGroups',
      new Set([80]),
    )
    expect(() => none({ family: 'IPv6', address: '::', port: 80 })).toThrow('inspectGroups needs Linux')
  })
})

describe('groups', () => {
  const seen = (users: SeenProcesses['user'] = () => undefined): SeenProcesses => ({
    own: 1,
    holder: (inode) => (inode === 102 ? 7 : undefined),
    command: () => undefined,
    startedAt: () => undefined,
    user: users,
    established: () => 3,
  })

  test('by user, members without a process last, what is not known left out', () => {
    const sockets = [
      boundSocket({ uid: 2 }),
      boundSocket({ uid: 1, inode: 103 }),
      boundSocket({ uid: 1, inode: 101, drops: null }),
      boundSocket({ uid: 1, inode: 102 }),
    ]
    const groups = groupsOf(sockets, seen())
    expect(groups.map(({ uid }) => uid)).toEqual([1, 2])
    expect(groups[0]?.members.map(({ inode }) => inode)).toEqual([102, 101, 103])
    expect(groups[0]?.members[1]).toMatchObject({ hidden: true, drops: undefined, established: undefined })
  })

  test('of UDP, whose buffer is not told; of IPv6, where it is not told whether of IPv4 too; at a device', () => {
    const of = { protocol: 'udp', family: 'IPv6', ipv6Only: null, receiveBuffer: null, device: 3 } as const
    const [group] = groupsOf([boundSocket(of)], seen())
    expect(group).toMatchObject({ device: 3, ipv6Only: undefined, members: [{ backlog: 0, state: 'bound' }] })
  })

  test('who has no room left is told who is there', () => {
    const member = (more: Partial<GroupMember>): GroupMember =>
      ({ pid: undefined, command: undefined, user: undefined, uid: 5, ...more }) as GroupMember
    const members = [member({}), member({ user: 'www' }), member({ pid: 9 }), member({ pid: 9, command: 'node a.js' })]
    const { message } = new ReusePortGroupFullError('::1', 80, 4, members)
    expect(message).toBe(
      '[::1]:80 has 4 of at most 4 members (option maxMembers): a process of uid 5, a process of www, 9 (unknown), 9 (node a.js)',
    )
    expect(new ReusePortGroupFullError('127.0.0.1', 80, 1, []).message).toMatch(/^127\.0\.0\.1:80 has/)
  })

  test('a process that ends while it is looked at', () => {
    const heldBy = vi.fn(() => Float64Array.of(11, 12))
    const addon = answering({ findHolders: () => Float64Array.of(4_000_000, 100), heldBy })
    const socket = boundSocket()
    const processes = seeProcesses(addon, [socket, boundSocket({ inode: 0 })], () => Float64Array.of(11, 12, 13))
    const pid = processes.holder(100) as number
    expect(pid).toBe(4_000_000)
    expect(processes.command(pid)).toBeUndefined()
    expect(processes.startedAt(pid)).toBeUndefined()
    expect(processes.established(pid, socket)).toBe(2)
    expect(processes.established(pid, socket)).toBe(2)
    expect(processes.user(3_999_999)).toBeUndefined()
  })

  test('one look at the descriptors of a process answers for all groups', () => {
    const heldBy = vi.fn((_pid: number, inodes: Float64Array) => inodes.filter((inode) => inode !== 13))
    const ports = [80, 81, 82]
    const groups = ports.map((port) => boundSocket({ port, inode: port }))
    const connections = new Map([
      [80, Float64Array.of(11, 12)],
      [81, Float64Array.of(13, 14)],
    ])
    const connectionsTo = ({ port }: { port: number }) => connections.get(port) ?? new Float64Array()
    const addon = answering({ findHolders: () => new Float64Array(), heldBy })
    const { established } = seeProcesses(addon, [...groups, boundSocket({ protocol: 'udp', port: 80 })], connectionsTo)
    expect(groups.map((group) => established(7, group))).toEqual([2, 1, 0])
    expect(heldBy.mock.calls).toEqual([[7, Float64Array.of(11, 12, 13, 14)]])
    expect(groups.map((group) => established(8, group))).toEqual([2, 1, 0])
    expect(heldBy).toHaveBeenCalledTimes(2)
  })

  test('a process that has ended, and that nobody has asked about yet, has a name and no command line', async () => {
    const script = 'import os, time\npid = os.fork()\nif pid == 0: os._exit(0)\nprint(pid, flush=True)\ntime.sleep(10)'
    const parent = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    const pid = Number(String((await once(parent.stdout, 'data'))[0]))
    const { command } = seeProcesses(answering({}), [], () => new Float64Array())
    await expect.poll(() => command(pid)).toMatch(/^python3/)
    parent.kill('SIGKILL')
    await once(parent, 'close')
  })

  test('where the permission model hides /proc no holder is looked for', () => {
    const findHolders = vi.fn()
    const has = (scope: string, path: string): boolean => scope !== 'fs.read' || path !== '/proc'
    Object.defineProperty(process, 'permission', { value: { has }, configurable: true })
    try {
      const addon = permitted(answering({ findHolders, heldBy: findHolders }))
      const processes = seeProcesses(addon, [boundSocket()], () => new Float64Array())
      expect(processes.holder(100)).toBeUndefined()
      expect(addon.heldBy(1, Float64Array.of(100))).toEqual(new Float64Array())
      expect(findHolders).not.toHaveBeenCalled()
      const denied = { code: 'ERR_ACCESS_DENIED', permission: 'FileSystemRead', resource: '/proc' }
      const message = expect.stringContaining('--allow-fs-read')
      expect(() => takeMember(addon, [{ inode: 5 } as GroupMember])).toThrow(
        expect.objectContaining({ ...denied, message }),
      )
    } finally {
      Reflect.deleteProperty(process, 'permission')
    }
    expect(permitted(answering({})).findHolders).toBe(answering({}).findHolders)
  })
})

describe('locks', () => {
  const joining = { protocol: 'tcp', family: 4, address: '127.0.0.1', port: 1 } as const

  test('of those who join, where there are no names', () => {
    const addon = answering({ acquireLock: () => failure('ENOSYS', 'bind') })
    expect(() => admit(addon, joining, 1)).toThrow(/maxMembers needs Linux.*no abstract unix sockets/)
  })

  test.each(['EACCES', 'ETIMEDOUT', 'EMFILE'] as const)('of those who join, %s: they are counted twice', (code) => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue()
    const rows: Partial<SocketRow>[] = []
    const own = { ...boundSocket(), address: joining.address, port: joining.port, uid: process.geteuid?.() ?? 0 }
    const addon = answering({
      acquireLock: (_name, timeout) => {
        expect(timeout).toBeLessThanOrEqual(50)
        return failure(code, 'bind')
      },
      nameOwner: () => ({ uid: 65_534, isOwn: false }),
      dumpSockets: ({ family }) => (family === 4 ? (rows as SocketRow[]) : []),
      dumpConnections: () => ({ addresses: [], rows: new Float64Array() }),
      findHolders: () => new Float64Array(),
    })
    const first = admit(addon, joining, 2)
    rows.push({ ...own, inode: 1 }, { ...own, inode: 2 })
    expect(() => first.confirm()).not.toThrow()
    rows.push({ ...own, inode: 3 })
    expect(() => first.confirm()).toThrow(ReusePortGroupFullError)
    expect(() => first.end()).not.toThrow()
    expect(() => admit(addon, joining, 2)).toThrow(ReusePortGroupFullError)
    const told =
      code === 'EACCES' ? [[expect.stringContaining('a process of uid 65534 has bound'), expect.anything()]] : []
    expect(warned.mock.calls).toEqual(told)
    warned.mockRestore()
  })

  test('a policy waits until no listener leaves the group', async () => {
    let leaders = 2
    const taken: string[] = []
    const addon = answering({
      acquireLock: (name) => {
        taken.push(name)
        return 77
      },
      connectToLock: () => failure(leaders-- > 0 ? 'EAGAIN' : 'ECONNREFUSED', 'connect'),
      close: () => {},
    })
    const lock = await lockForPolicy(addon, boundSocket({ port: 4 }), soon())
    lock.end()
    expect(taken).toEqual(Array(2).fill('reuseport:lock:tcp4:127.0.0.1:4'))
    leaders = 1000
    await expect(lockForPolicy(addon, boundSocket({ port: 5 }), new Deadline(0, undefined))).rejects.toThrow(
      'The lock @reuseport:leader:tcp4:127.0.0.1:5 could not be acquired: process',
    )
  })

  test('nobody is kept waiting where the members cannot be counted', () => {
    const closed: number[] = []
    const addon = answering({
      acquireLock: () => 77,
      close: (fd) => void closed.push(fd),
      dumpSockets: () => failure('EPERM', 'recvfrom'),
    })
    expect(() => admit(addon, joining, 1)).toThrow('recvfrom EPERM')
    expect(closed).toEqual([77])
  })

  test.each([
    ['ENOSYS', /this system has no abstract unix sockets/],
    ['EACCES', /a process of uid 65534 has bound its name/],
    ['EMFILE', /could not be acquired: socket EMFILE/],
  ] as const)('of a group, %s', async (code, message) => {
    const nameOwner = (): NameOwner => ({ uid: 65_534, isOwn: false })
    const addon = answering({ acquireLock: () => failure(code, 'socket'), nameOwner })
    await expect(lockGroup(addon, boundSocket(), soon())).rejects.toThrow(message)
  })

  test('of a group, which nobody can be asked about: looked at again', async () => {
    let times = 0
    const addon = answering({
      acquireLock: () => (++times < 3 ? failure('ETIMEDOUT', 'bind') : 77),
      connectToLock: () => failure('EAGAIN', 'connect'),
      close: () => {},
    })
    const lock = await lockGroup(addon, boundSocket({ port: 2 }), soon())
    expect(times).toBe(3)
    lock.end()
    times = -10
    await expect(lockGroup(addon, boundSocket({ port: 3 }), new Deadline(0, undefined))).rejects.toThrow(
      /process \d+ waited 0 ms for changes of the group of other processes to end/,
    )
  })

  test('the name tells a device', () => {
    expect(groupSocketName('lock', boundSocket({ device: 3 }))).toBe('reuseport:lock:tcp4:127.0.0.1%3:8080')
  })
})

describe('a member', () => {
  const server = (address: unknown, handle?: object): ListenableServer =>
    ({ address: () => address, _handle: handle }) as unknown as ListenableServer

  test('that is none', () => {
    const of = (one: ListenableServer) => () => memberOf(answering({}), 'steer', one)
    expect(of(server('/run/app.sock'))).toThrow('the server does not listen on a port')
    expect(of(server(null))).toThrow('the server does not listen on a port')
    expect(of(server({ port: 80 }, {}))).toThrow("the cluster's primary accepts its connections")
    expect(of(server({ port: 80 }, { fd: 0 }))).toThrow(/the kernel does not list the socket with inode \d+/)
  })

  test('out of reach: of a process that cannot be seen, of another one, or its own', () => {
    const take = (answers: Partial<Addon>) => () => takeMember(answering(answers), [{ inode: 5 } as GroupMember])
    expect(take({ findHolders: () => new Float64Array() })).toThrow(
      '/proc shows no process that holds the socket with inode 5',
    )
    const takeSocket = (): typeof PERMIT => failure('EPERM', 'pidfd_getfd')
    expect(take({ findHolders: () => Float64Array.of(1, 5), takeSocket })).toThrow(
      /the socket of process 1 cannot be duplicated: .*EPERM.*right to debug process 1: be its parent, or have CAP_SYS_PTRACE/,
    )
    expect(take({ findHolders: () => Float64Array.of(process.pid, 5), takeSocket })).toThrow(/EPERM\)$/)
    // The next one will do.
    const findHolders: Addon['findHolders'] = ([inode]) => (inode === 5 ? new Float64Array() : Float64Array.of(1, 6))
    const addon = answering({ findHolders, takeSocket: () => 77, close: () => {} })
    expect(takeMember(addon, [{ inode: 5 }, { inode: 6 }] as GroupMember[]).fd).toBe(77)
  })
})

describe('steering', () => {
  const detached = vi.fn()

  function member(answers: Partial<Addon>, more: Parameters<typeof boundSocket>[0] = {}): Member {
    detached.mockReset()
    const socket = boundSocket(more)
    const addon = answering({
      detachProgram: () => detached(),
      dumpSockets: ({ family }) => (family === 4 ? [socket, { ...socket, inode: 101 }] : []),
      ...answers,
    })
    return { addon, fd: 77, socket }
  }

  test('an address that cannot be reached is passed over; the next tells', () => {
    const asked: string[] = []
    const learn: Addon['learnSlots'] = (_fds, _family, address) => {
      asked.push(address)
      return address === '::1' ? failure('EADDRNOTAVAIL', 'bind') : [1]
    }
    const everywhere = { family: 'IPv6', address: '::', ipv6Only: false } as const
    expect(learnSlots(member({ learnSlots: learn }, everywhere), [77], 2)).toEqual([1])
    expect(asked).toEqual(['::1', '127.0.0.1'])
    const only = member({ learnSlots: learn }, { ...everywhere, ipv6Only: true })
    expect(() => learnSlots(only, [77], 2)).toThrow('bind EADDRNOTAVAIL')
  })

  test('the only address is asked a second time, with other ports', () => {
    const asked: string[] = []
    const learn: Addon['learnSlots'] = (_fds, _family, address) => [asked.push(address) === 1 ? -1 : 1]
    expect(learnSlots(member({ learnSlots: learn }), [77], 2)).toEqual([1])
    expect(asked).toEqual(['127.0.0.1', '127.0.0.1'])
    const never = member({ learnSlots: () => [-1] }, { family: 'IPv6', address: '::', ipv6Only: true })
    expect(learnSlots(never, [77], 2)).toEqual([undefined])
  })

  test('an IPv4-mapped address is asked by packets of IPv4', () => {
    const asked: string[] = []
    const learn: Addon['learnSlots'] = (_fds, family, address) => {
      asked.push(`${family} ${address}`)
      return [0]
    }
    for (const address of ['::ffff:127.0.0.3', '::ffff:0.0.0.0']) {
      learnSlots(member({ learnSlots: learn }, { family: 'IPv6', address }), [77], 2)
    }
    expect(asked).toEqual(['4 127.0.0.3', '4 127.0.0.1'])
  })

  test('a failure after an address that told something takes the program back', () => {
    let times = 0
    const learn: Addon['learnSlots'] = () => (++times === 1 ? [-1] : failure('ENOBUFS', 'socket'))
    const one = member({ learnSlots: learn }, { address: '0.0.0.0' })
    expect(() => learnSlots(one, [77], 2)).toThrow('socket ENOBUFS')
    expect(detached).toHaveBeenCalledTimes(1)
  })

  test('at a device', () => {
    const asked: string[] = []
    const learn: Addon['learnSlots'] = (_fds, family, address, _port, _members, device) => {
      asked.push(`${family} ${address} at ${device}`)
      return [0]
    }
    const getOption = (): string => 'lo'
    learnSlots(member({ learnSlots: learn }, { device: 3 }), [77], 2)
    learnSlots(member({ learnSlots: learn }, { family: 'IPv6', address: 'fe80::1', device: 3 }), [77], 2)
    learnSlots(member({ learnSlots: learn, getOption }, { address: '0.0.0.0', device: 1 }), [77], 2)
    expect(asked).toEqual(['4 127.0.0.1 at 3', '6 fe80::1 at 3', '4 127.0.0.1 at 1'])
    const without = member({ learnSlots: learn, getOption: () => 'none' }, { family: 'IPv6', address: '::', device: 9 })
    expect(() => learnSlots(without, [77], 2)).toThrow('the interface that the group is bound to has no address')
  })

  test('whoever is alone after the first try is by hash again', () => {
    let looks = 0
    const socket = boundSocket()
    const dumpSockets: Addon['dumpSockets'] = ({ family }) => {
      if (family === 6) return []
      return ++looks === 1 ? [socket, { ...socket, inode: 101 }] : [socket]
    }
    const one = member({ dumpSockets, learnSlots: () => [-1] })
    expect(steerAway(one, [one.fd], 'drain')).toMatchObject({ members: [{}], slots: [] })
    expect(detached).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['nothing', 1 << 20],
    ['something else', 0],
  ])('a server that closes while its turn is waited for: its descriptor is %s by then', async (_what, fd) => {
    const attachProgram = vi.fn()
    const gone = { ...member({ attachProgram }), fd }
    const wish = { policy: 'random', since: 1 } as const
    const put = new PolicyInForce().put(gone, wish, new Deadline(10_000, undefined))
    await expect(put).rejects.toThrow('the server has left its group in the meantime')
    expect([attachProgram.mock.calls, detached.mock.calls]).toEqual([[], []])
  })

  test('a program that cannot be built, attached or taken away', () => {
    const one = member({ attachProgram: () => PERMIT, detachProgram: () => PERMIT })
    expect(() => attachChecked(one, failure('E2BIG', 'buildProgram'))).toThrow(/more than 4096 instructions/)
    expect(() => attachChecked(one, new Uint32Array())).toThrow(/setsockopt EPERM/)
    expect(() => detach(one)).toThrow(/setsockopt EPERM/)
  })
})

describe('a socket that a supervisor keeps', () => {
  const done = vi.fn()
  const NAME = Symbol.for('reuseport.supervision')
  const configuration = { settings: [], raw: [], onSocket: undefined }
  const request = { where: undefined, port: 80, ipv6Only: false, backlog: 5, configuration } as unknown as SocketRequest

  beforeEach(() => {
    done.mockReset()
    const supervision = { take: () => ({ fd: 9, done }), portFor: () => 80, adopted: () => {} }
    Object.defineProperty(globalThis, NAME, { value: supervision, configurable: true })
  })
  afterEach(() => Reflect.deleteProperty(globalThis, NAME))

  const ADDRESS = { address: '0.0.0.0', family: 'IPv4', port: 80 } as const

  test.each([
    ['cannot be duplicated', { duplicate: () => failure('EMFILE', 'fcntl') }, 'EMFILE', []],
    ['is none', { localAddress: () => failure('ENOTSOCK', 'getsockname') }, 'ENOTSOCK', [77]],
    ['does not listen', { listen: () => failure('EINVAL', 'listen') }, 'EINVAL', [77]],
  ] as const)('and that %s: Node’s error, with the reason', (_what, answers, code, expected) => {
    const closed: number[] = []
    const addon = answering({
      duplicate: () => 77,
      localAddress: () => ADDRESS,
      listen: () => undefined,
      close: (fd) => void closed.push(fd),
      ...answers,
    })
    for (const where of [undefined, { address: '127.0.0.1', family: 4 } as const]) {
      expect(inheritOrOpen(addon, { ...request, where })).toMatchObject({
        code,
        address: where?.address ?? '::',
        message: expect.stringContaining('this process cannot use the socket that the supervisor keeps'),
      })
    }
    expect(closed).toEqual([...expected, ...expected])
    expect(done).toHaveBeenCalledTimes(2)
  })

  test('of either family', () => {
    for (const family of ['IPv4', 'IPv6'] as const) {
      const addon = answering({
        duplicate: () => 77,
        localAddress: () => ({ ...ADDRESS, family }),
        listen: () => undefined,
        close: () => {},
      })
      const socket = inheritOrOpen(addon, request)
      expect(socket).toBeInstanceOf(ReusePortSocket)
      if (socket instanceof ReusePortSocket) socket.close()
    }
  })
})

describe('who keeps a policy', () => {
  const group = boundSocket()

  test('whose name a stranger has, and nobody’s', () => {
    const answers = (code: 'EACCES' | 'ECONNREFUSED'): Addon =>
      answering({ connectToLock: () => failure(code, 'connect'), nameOwner: () => failure('ENOENT', 'bind') })
    expect(() => connectTo(answers('EACCES'), group)).toThrow(
      'a process of another user has bound the name @reuseport:keeper:tcp4:127.0.0.1:8080',
    )
    expect(connectTo(answers('ECONNREFUSED'), group)).toBeUndefined()
    expect(() => tellKeeper(answers('ECONNREFUSED'), group)).not.toThrow()
  })

  test.each([
    ['EACCES', 'a process of uid 65534 has bound the name @reuseport:keeper:tcp4:127.0.0.1:8080'],
    ['EMFILE', 'this process cannot keep the policy (socket EMFILE)'],
  ] as const)('cannot be: %s', (code, message) => {
    const events = { onWish: vi.fn(), onGone: vi.fn(), onTakenAway: vi.fn(), onError: vi.fn() }
    const nameOwner = (): NameOwner => ({ uid: 65_534, isOwn: false })
    const addon = answering({ acquireLock: () => failure(code, 'socket'), nameOwner })
    expect(() => KeeperServer.open(addon, group, events)).toThrow(message)
  })

  /** A connection that is none. */
  async function connection(): Promise<{ one: net.Socket; other: net.Socket; end(): void }> {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const accepted = once(server, 'connection')
    const one = net.connect(port, '127.0.0.1')
    const [other] = (await accepted) as [net.Socket]
    const end = (): void => {
      one.destroy()
      other.destroy()
      server.close()
    }
    return { one, other, end }
  }

  const wish = { policy: 'random', since: 1 } as const
  const steering = { policy: 'random', method: 'program', members: 2, keeper: 1, reason: undefined } as const

  test('answers, refuses, says something else first, goes, or is late', async () => {
    const say = async (lines: readonly object[], deadline = soon()): Promise<unknown> => {
      const { end, one, other } = await connection()
      try {
        const others: unknown[] = []
        const asked = ask(one, wish, deadline, (message) => others.push(message))
        for (const line of lines) other.write(`${JSON.stringify(line)}\n`)
        if (lines.length === 0 && deadline.total > 500) other.destroy()
        return [await asked, others]
      } finally {
        end()
      }
    }
    expect(await say([{ policy: 'hash', since: 2 }, { steering }])).toEqual([steering, [{ policy: 'hash', since: 2 }]])
    await expect(say([{ refused: 'no room' }])).rejects.toThrow('no room')
    expect(await say([])).toEqual([undefined, []])
    await expect(say([], new Deadline(20, undefined))).rejects.toThrow(
      'the process that keeps the policy did not answer in time',
    )
    await expect(say([], new Deadline(1000, AbortSignal.abort(new Error('enough'))))).rejects.toThrow('enough')
  })

  test('what is no message ends the connection; to one that has ended nothing is said', async () => {
    for (const line of ['nothing\n', 'null\n', '7\n', 'x'.repeat((1 << 20) + 1)]) {
      const { end, one, other } = await connection()
      const heard = vi.fn()
      readMessages(
        one.on('error', () => {}),
        heard,
      )
      const ended = new Promise((resolve) => one.once('close', resolve))
      other.on('error', () => {}).write(line)
      await ended
      expect(heard).not.toHaveBeenCalled()
      expect(() => send(one, wish)).not.toThrow()
      end()
    }
  })
})

describe('abstract sockets', () => {
  test('a server that listens on one has one handle: two would close its number twice', async () => {
    const state = loadAddon()
    if (!state.loaded) throw new Error(state.reason)
    const pipes = (): number => process.getActiveResourcesInfo().filter((name) => /Pipe/.test(name)).length
    const before = pipes()
    const server = net.createServer()
    expect(listenAbstract(state.addon, `reuseport:test:${process.pid}`, server)).toBeUndefined()
    await once(server, 'listening')
    expect(pipes()).toBe(before + 1)
    const client = connectAbstract(state.addon, `reuseport:test:${process.pid}`) as net.Socket
    await once(server, 'connection')
    client.destroy()
    server.close()
    await once(server, 'close')
    await expect.poll(pipes).toBe(before)
  })
})

describe('descriptors', () => {
  test('are let go of once', () => {
    const [closed, released] = [vi.fn(), vi.fn()]
    const addon = answering({
      close: closed,
      release: released,
      localAddress: () => failure('EBADF', 'getsockname'),
    })
    const one = new OwnedDescriptor(addon, 77, 4)
    expect(one.describe('tcp')).toBeUndefined()
    expect(one.localPort()).toBeUndefined()
    one.release()
    one.release()
    one.close()
    expect([released.mock.calls.length, closed.mock.calls.length]).toEqual([1, 0])
  })
})

test('a privilege, whether its name is known or not', () => {
  const denied = (capability?: string): string =>
    new ReusePortOptionDeniedError('socketOptions.mark', capability, PERMIT).message
  expect(denied('CAP_NET_ADMIN')).toMatch(/: it needs CAP_NET_ADMIN$/)
  expect(denied()).toMatch(/: it needs a privilege$/)
})

test('a reason without the error that led to it, and with it', () => {
  expect(new ReusePortSteeringError('no').cause).toBeUndefined()
  expect(new ReusePortSteeringError('no', PERMIT).cause).toBe(PERMIT)
})

test('a signal without a reason, as of other implementations', () => {
  const signal = { aborted: true, reason: undefined } as unknown as AbortSignal
  expect(() => new Deadline(1, signal).assertNotAborted()).toThrow(expect.objectContaining({ name: 'AbortError' }))
})
