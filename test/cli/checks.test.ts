// What `reuseport doctor` makes of systems that this one is not: of files, a kernel and capabilities that are made up.
import os from 'node:os'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DOCTOR_HELP, doctor } from '../../src/cli/doctor.js'
import type { Output } from '../../src/cli/ls.js'
import type { Capabilities, Group } from '../../src/index.js'

const files = new Map<string, string>()
const made: { capabilities: Partial<Capabilities>; groups: () => Promise<readonly Group[]> } = {
  capabilities: {},
  groups: async () => [],
}
const repair = vi.hoisted(() => ({ repairGroup: vi.fn() }))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const readFileSync = (file: string, encoding: 'utf8'): string => {
    if (!String(file).startsWith('/proc') && file !== '/run/.containerenv') return fs.readFileSync(file, encoding)
    const text = files.get(file)
    if (text === undefined) throw new Error('ENOENT')
    return text
  }
  return { ...fs, readFileSync }
})

vi.mock('../../src/index.js', async (original) => ({
  ...(await original<typeof import('../../src/index.js')>()),
  ...repair,
  capabilities: () => ({
    platform: 'linux',
    supported: true,
    balanced: true,
    semantics: 'hash',
    option: 'SO_REUSEPORT',
    addon: true,
    binary: '/p/reuseport.node',
    steering: true,
    reasons: {},
    ...made.capabilities,
  }),
  inspectGroups: () => made.groups(),
}))

const { findOut } = await import('../../src/cli/checks.js')

const isLinux = process.platform === 'linux'

beforeEach(() => {
  files.clear()
  Object.assign(made, { capabilities: {}, groups: async () => [] })
  vi.spyOn(os, 'release').mockReturnValue('6.18.44')
})

afterEach(() => vi.restoreAllMocks())

/** What a command prints to it. */
function collect(): Output & { printed(): string } {
  const texts: string[] = []
  const stream = { write: (text: string) => texts.push(text) > 0 } as unknown as NodeJS.WriteStream
  return { stream, screen: () => ({ columns: 80, rows: 24, coloured: false }), printed: () => texts.join('') }
}

async function found(name: string): Promise<unknown> {
  const checks = await findOut()
  return checks.find((check) => check.name === name)
}

describe('surroundings', () => {
  test.each([
    ['/proc/version', 'Linux version 4.4.0-Microsoft', '4.4.0-Microsoft', 'WSL'],
    ['/proc/version', 'Linux version 5.15-microsoft-standard-WSL2', '5.15-microsoft-standard-WSL2', 'WSL 2'],
    ['/proc/version', 'Linux version 4.4.0 gVisor', '4.4.0', 'gVisor'],
    ['/proc/1/cgroup', '0::/kubepods/burstable', '6.1.0', 'a container'],
    ['/proc/self/mountinfo', '1 2 /docker/containers/x', '6.1.0', 'a container'],
    ['/run/.containerenv', '', '6.1.0', 'a container'],
    ['/proc/nothing', '', '6.1.0', 'no container detected'],
  ])('%s: %s', async (file, text, release, value) => {
    files.set(file, text)
    vi.mocked(os.release).mockReturnValue(release)
    expect(await found('surroundings')).toMatchObject({ status: 'note', value })
  })
})

test('an addon that is missing, and what serves meanwhile', async () => {
  made.capabilities = { addon: false, binary: null, reasons: { addon: 'it is gone' } }
  expect(await found('addon')).toMatchObject({
    status: 'no',
    advice: expect.stringMatching(/^it is gone\. Until then Node's own/),
  })
  made.capabilities = { ...made.capabilities, supported: false, balanced: false, option: null, semantics: 'none' }
  expect(await found('addon')).toMatchObject({ advice: expect.stringMatching(/^it is gone\. Until then no port is/) })
  expect(await found('option')).toMatchObject({ status: 'no', value: 'none' })
  expect(await found('balanced')).toMatchObject({ status: 'no', value: 'none' })
})

describe.runIf(isLinux)('on Linux', () => {
  test('classic BPF is available where connections can be steered', async () => {
    expect(await found('classic BPF')).toMatchObject({ status: 'yes', value: 'available' })
    made.capabilities = { steering: false, reasons: { steering: 'a filter refuses it' } }
    expect(await found('classic BPF')).toMatchObject({
      status: 'no',
      value: 'not available',
      advice: 'connections cannot be steered: a filter refuses it',
    })
  })

  test('classic BPF cannot be tried without the addon', async () => {
    made.capabilities = { addon: false }
    expect(await found('classic BPF')).toMatchObject({ status: 'unknown', advice: 'this test needs the addon' })
  })

  test.each([
    ['6.12.93', 'yes', 'fixed'],
    ['6.12.92', 'no', 'not fixed in 6.12.92'],
    ['5.10.1', 'unknown', '5.10.1 may or may not have the fix'],
  ])('CVE-2026-52910 on %s', async (release, status, value) => {
    vi.mocked(os.release).mockReturnValue(release)
    expect(await found('CVE-2026-52910')).toMatchObject({ status, value })
  })

  test.each([
    ['6.2.0', 'yes'],
    ['6.1.0', 'no'],
  ])('SO_INCOMING_CPU on %s', async (release, status) => {
    vi.mocked(os.release).mockReturnValue(release)
    expect(await found('SO_INCOMING_CPU')).toMatchObject({ status })
  })

  test.each([
    [undefined, '6.18.44', 'unknown'],
    ['0\n', '6.18.44', 'note'],
    ['1\n', '6.18.44', 'yes'],
    ['1\n', '6.18.1', 'no'],
  ])('tcp_migrate_req %j on %s', async (setting, release, status) => {
    if (setting !== undefined) files.set('/proc/sys/net/ipv4/tcp_migrate_req', setting)
    vi.mocked(os.release).mockReturnValue(release)
    expect(await found('tcp_migrate_req')).toMatchObject({ status })
  })

  const group = (port: number, backlog: number): Group =>
    ({ address: '::', port, uid: process.geteuid?.(), members: [{ backlog }, { backlog: 1 }] }) as unknown as Group

  test('somaxconn, and who reaches it', async () => {
    expect(await found('somaxconn')).toMatchObject({ status: 'unknown' })
    files.set('/proc/sys/net/core/somaxconn', '4096')
    made.groups = async () => [group(80, 511)]
    expect(await found('somaxconn')).toMatchObject({ status: 'yes', value: '4096, above every backlog in use' })
    made.groups = async () => [group(80, 4096), group(80, 4096), group(81, 8192), group(82, 1)]
    expect(await found('somaxconn')).toMatchObject({ status: 'note', value: '4096, reached on port 80, 81' })
    made.groups = () => Promise.reject(new Error('no netlink'))
    expect(await found('somaxconn')).toMatchObject({ status: 'note', value: '4096', advice: 'no netlink' })
  })

  test.each([
    [undefined, 'unknown', 'cannot be read'],
    ['Max open files            1024                 4096                 files', 'note', '1024'],
    ['Max open files            65536                65536                files', 'yes', '65536'],
    ['Max open files            unlimited            unlimited            files', 'yes', 'unlimited'],
  ])('open files: %s', async (line, status, value) => {
    if (line !== undefined) files.set('/proc/self/limits', `Limit  Soft  Hard  Units\n${line}\n`)
    expect(await found('open files')).toMatchObject({ status, value })
  })

  describe('--fix', () => {
    async function fixed(...args: string[]): Promise<{ code: number; printed: string }> {
      const output = collect()
      const code = await doctor(['--fix', ...args], output)
      return { code, printed: output.printed() }
    }

    test('where there is nothing to fix', async () => {
      made.groups = async () => [{ ...group(80, 1), uid: 4242 }]
      const nothing = 'Nothing to repair: on these ports no group of this user has more than one member.\n'
      expect(await fixed()).toEqual({ code: 0, printed: nothing })
    })

    test('by what the kernel chooses then, and what could not be fixed', async () => {
      made.groups = async () => [group(80, 1), { ...group(81, 1), address: '127.0.0.1' }, group(82, 1), group(83, 1)]
      repair.repairGroup
        .mockResolvedValueOnce({ keeper: undefined, method: 'hash', policy: 'hash' })
        .mockResolvedValueOnce({ keeper: 41, method: 'program', policy: { weights: [] } })
        .mockResolvedValueOnce({ keeper: 42, method: 'program', policy: 'random' })
        .mockRejectedValueOnce(new Error('it is locked'))
      expect(await fixed('80', '81')).toEqual({
        code: 1,
        printed: [
          '✓ tcp [::]:80  2 members  by hash',
          '✓ tcp 127.0.0.1:81  2 members  by weights, kept by process 41',
          '✓ tcp [::]:82  2 members  by random, kept by process 42',
          '✗ tcp [::]:83  2 members  it is locked',
          '',
        ].join('\n'),
      })
    })

    test('as JSON', async () => {
      made.groups = async () => [group(80, 1)]
      repair.repairGroup.mockRejectedValueOnce('no')
      const { code, printed } = await fixed('--json')
      expect(code).toBe(1)
      expect(JSON.parse(printed)).toEqual({ groups: [{ address: '::', port: 80, members: 2, error: 'no' }] })
    })
  })
})

test('help, and a report as JSON', async () => {
  const help = collect()
  expect(await doctor(['--help'], help)).toBe(0)
  expect(help.printed()).toBe(`${DOCTOR_HELP}\n`)
  made.capabilities = { balanced: false, reasons: { balanced: 'it is not' } }
  const report = collect()
  expect(await doctor(['--json'], report)).toBe(1)
  expect(JSON.parse(report.printed())).toMatchObject({ balanced: false })
  await expect(doctor(['now'], collect())).rejects.toThrow("doctor takes ports only with --fix, and got 'now'")
})
