// The CPU quota by recorded files: of Docker, Kubernetes, systemd, namespaces, and of what nobody should have.
import { describe, expect, test } from 'vitest'
import { chooseWorkers } from '../../src/supervisor/automatic-workers.js'
import { cpuQuota } from '../../src/supervisor/cpu-quota.js'

const CGROUP2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate'
const CPU1 = '33 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct'
const CPUSET1 = '34 24 0:30 / /sys/fs/cgroup/cpuset rw,nosuid shared:10 - cgroup cgroup rw,cpuset'

interface Recorded {
  readonly cgroup?: string
  readonly mounts?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
}

function quotaOf({ cgroup, mounts, files = {} }: Recorded): readonly unknown[] | undefined {
  const all: Readonly<Record<string, string | undefined>> = {
    ...files,
    '/proc/self/cgroup': cgroup,
    '/proc/self/mountinfo': mounts?.map((line) => `${line}\n`).join(''),
  }
  const found = cpuQuota((file) => all[file])
  return found && [found.quota, found.cgroup]
}

/** The files of version 1. */
function v1(folder: string, quota: string, period = '100000'): Record<string, string> {
  return { [`${folder}/cpu.cfs_quota_us`]: `${quota}\n`, [`${folder}/cpu.cfs_period_us`]: `${period}\n` }
}

describe('version 2', () => {
  const base = '/sys/fs/cgroup'
  const service = { cgroup: '0::/system.slice/app.service\n', mounts: [CGROUP2] }

  test.each([
    ['of its own', { 'system.slice/app.service': '150000 100000' }, [1.5, 'system.slice/app.service']],
    [
      'of the level above',
      { 'system.slice/app.service': 'max 100000', 'system.slice': '2000 1000' },
      [2, 'system.slice'],
    ],
    [
      'the smallest: above',
      { 'system.slice/app.service': '400000 100000', 'system.slice': '5 2' },
      [2.5, 'system.slice'],
    ],
    [
      'the smallest: below',
      { 'system.slice/app.service': '40000 100000', 'system.slice': '5 2' },
      [0.4, 'system.slice/app.service'],
    ],
    ['of the mount', { '': '300000 100000' }, [3, '']],
    ['none', { 'system.slice/app.service': 'max 100000', 'system.slice': 'max 100000' }, undefined],
    ['of another cgroup', { 'system.slice/other.service': '100000 100000' }, undefined],
    ['no files', {}, undefined],
  ] as const)('%s', (_, contents, expected) => {
    const folder = (name: string): string => (name === '' ? base : `${base}/${name}`)
    const files = Object.entries(contents).map(([name, text]) => [`${folder(name)}/cpu.max`, `${text}\n`])
    const [quota, name] = expected ?? []
    const found = quotaOf({ ...service, files: Object.fromEntries(files) })
    expect(found).toEqual(expected && [quota, folder(name ?? '')])
  })

  test('a namespace of cgroups, as in a container', () => {
    const files = { [`${base}/cpu.max`]: '250000 100000\n' }
    expect(quotaOf({ cgroup: '0::/\n', mounts: [CGROUP2], files })).toEqual([2.5, base])
  })

  test('a mount that begins above the namespace: its own level counts, names below are not guessed', () => {
    const mount = '30 23 0:26 /../.. /host/cgroup rw - cgroup2 cgroup2 rw'
    const files = { '/host/cgroup/cpu.max': '700000 100000', '/host/cgroup/pod/cpu.max': '100000 100000' }
    expect(quotaOf({ cgroup: '0::/\n', mounts: [mount], files })).toEqual([7, '/host/cgroup'])
    expect(quotaOf({ cgroup: '0::/pod\n', mounts: [mount], files })).toEqual([7, '/host/cgroup'])
  })

  test('a process beside the root of its namespace', () => {
    const files = { '/c/cpu.max': '700000 100000', '/c/beside/cpu.max': '300000 100000' }
    const mounts = (root: string) => [`30 23 0:26 ${root} /c rw - cgroup2 cgroup2 rw`]
    expect(quotaOf({ cgroup: '0::/../beside\n', mounts: mounts('/..'), files })).toEqual([3, '/c/beside'])
    expect(quotaOf({ cgroup: '0::/../beside\n', mounts: mounts('/../beside'), files })).toEqual([7, '/c'])
    expect(quotaOf({ cgroup: '0::/../beside\n', mounts: mounts('/'), files })).toBeUndefined()
    expect(quotaOf({ cgroup: '0::/\n', mounts: mounts('/../beside'), files })).toBeUndefined()
  })

  test('escaped characters, a name with a colon, several mounts, a hidden one', () => {
    const mounts = [
      '30 23 0:26 / /c rw - cgroup2 cgroup2 rw',
      '31 23 0:26 /my\\040pod /c rw - cgroup2  rw',
      '32 23 0:26 / /a\\134b\\011c rw - cgroup2 cgroup2 rw',
    ]
    const cgroup = '0::/my pod/a:b\n'
    expect(quotaOf({ cgroup, mounts, files: { '/c/a:b/cpu.max': '1 1', '/c/my pod/cpu.max': '1 2' } })).toEqual([
      1,
      '/c/a:b',
    ])
    expect(quotaOf({ cgroup, mounts, files: { '/a\\b\tc/my pod/cpu.max': '1 1' } })).toEqual([1, '/a\\b\tc/my pod'])
  })

  test.each([
    '',
    '\n',
    'max',
    'max 100000',
    '0 100000',
    '100000 0',
    '0 0',
    '100000',
    '-1 100000',
    '1e5 100000',
    '100000 100000 1',
    ' 1 1',
    `${'9'.repeat(400)} 100000`,
    `1 ${'9'.repeat(400)}`,
    '٣ ٣',
  ])('%j says nothing', (text) => {
    expect(quotaOf({ cgroup: '0::/\n', mounts: [CGROUP2], files: { [`${base}/cpu.max`]: text } })).toBeUndefined()
  })

  test('levels and mounts have bounds', () => {
    const read: string[] = []
    const cgroup = `0::${'/a'.repeat(5000)}\n`
    const mounts = Array.from({ length: 5000 }, (_, id) => `${id} 1 0:26 / /m${id} rw - cgroup2 cgroup2 rw\n`).join('')
    cpuQuota((file) => {
      read.push(file)
      return file.endsWith('mountinfo') ? mounts : cgroup
    })
    expect(read).toHaveLength(2 + 16 * 64)
  })
})

describe('version 1', () => {
  test('each controller has its own line; the smallest of the levels', () => {
    const cgroup = '5:cpuset:/other\n4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n1:name=cpu:/no\n'
    const folder = '/sys/fs/cgroup/cpu,cpuacct/docker'
    const mounts = [CPUSET1, CPU1]
    expect(quotaOf({ cgroup, mounts, files: v1(`${folder}/abc`, '50000') })).toEqual([0.5, `${folder}/abc`])
    const both = { ...v1(`${folder}/abc`, '-1'), ...v1(folder, '100000', '50000') }
    expect(quotaOf({ cgroup, mounts, files: both })).toEqual([2, folder])
    expect(quotaOf({ cgroup, mounts, files: v1('/sys/fs/cgroup/cpuset/docker/abc', '50000') })).toBeUndefined()
  })

  test.each(['cpu', 'cpu,cpuacct', 'cpuacct,cpu', 'cpuset,cpu,cpuacct'])('the controllers %s', (controllers) => {
    const mounts = [`33 24 0:29 / /c rw - cgroup cgroup rw,${controllers}`]
    expect(quotaOf({ cgroup: `7:${controllers}:/\n`, mounts, files: v1('/c', '300000') })).toEqual([3, '/c'])
  })

  test('a container without a namespace of cgroups: its path is that of the host, its mount begins there', () => {
    const mounts = [CPU1.replace(' / ', ' /docker/abc ')]
    const files = v1('/sys/fs/cgroup/cpu,cpuacct', '200000')
    expect(quotaOf({ cgroup: '4:cpu,cpuacct:/docker/abc\n', mounts, files })).toEqual([2, '/sys/fs/cgroup/cpu,cpuacct'])
    expect(quotaOf({ cgroup: '4:cpu,cpuacct:/docker/abcd\n', mounts, files })).toBeUndefined()
  })

  test.each([
    [{ '/c/cpu.cfs_quota_us': '100000' }],
    [{ '/c/cpu.cfs_period_us': '100000' }],
    [v1('/c', '0')],
    [v1('/c', '100000', '0')],
    [v1('/c', '')],
  ])('%j says nothing', (files) => {
    const mounts = ['33 24 0:29 / /c rw - cgroup cgroup rw,cpu']
    expect(quotaOf({ cgroup: '1:cpu:/\n', mounts, files })).toBeUndefined()
  })
})

test('both versions: the one with the controller has the files', () => {
  const cgroup = '2:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/b\n'
  const mounts = [CPU1, CGROUP2.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified')]
  const folder = '/sys/fs/cgroup/cpu,cpuacct/a'
  expect(quotaOf({ cgroup, mounts, files: v1(folder, '300000') })).toEqual([3, folder])
  const other = '/sys/fs/cgroup/unified/b'
  expect(quotaOf({ cgroup, mounts, files: { [`${other}/cpu.max`]: '100 100' } })).toEqual([1, other])
})

test.each([
  [{}],
  [{ cgroup: '', mounts: [] }],
  [{ cgroup: '0::/\n' }],
  [{ mounts: [CGROUP2] }],
  [{ cgroup: '0::', mounts: [CGROUP2] }],
  [{ cgroup: '0::/\n', mounts: [CGROUP2.replace(' - ', ' ')] }],
  [{ cgroup: '0::/\n', mounts: ['- cgroup2', '30 23 0:26 net:[4026531840] /sys/fs/cgroup rw - cgroup2 cgroup2 rw'] }],
  [{ cgroup: '0::/\n', mounts: ['30 23 0:26 / /sys/fs/cgroup rw - tmpfs cgroup2 rw'] }],
])('no quota by %j', (recorded) => {
  expect(quotaOf({ ...recorded, files: { '/sys/fs/cgroup/cpu.max': '100 100' } })).toBeUndefined()
})

describe('the number of workers', () => {
  const quota = (cpus: number) => ({ quota: cpus, cgroup: '/c' })

  test.each([
    [8, 8, undefined, 8, 'cpus'],
    [8, 8, quota(8), 8, 'cpus'],
    [8, 8, quota(64), 8, 'cpus'],
    [8, 8, quota(7.99), 7, 'quota'],
    [8, 8, quota(1.5), 1, 'quota'],
    [8, 8, quota(0.1), 1, 'quota'],
    [1, 1, quota(0.1), 1, 'cpus'],
    [2, 8, undefined, 2, 'affinity'],
    [2, 8, quota(4), 2, 'affinity'],
    [4, 8, quota(2), 2, 'quota'],
    // A newer Node has taken the quota into account already.
    [2, 8, quota(2.5), 2, 'quota'],
    // Where /proc says nothing of the machine.
    [4, 0, undefined, 4, 'cpus'],
    [4, 0, quota(3), 3, 'quota'],
    [2000, 2000, undefined, 1024, 'most'],
    [2000, 2000, quota(1500), 1024, 'most'],
    [1500, 2000, undefined, 1024, 'most'],
  ] as const)('%i available of %i, quota %j: %i by %s', (available, machine, given, workers, limit) => {
    const { from, ...rest } = chooseWorkers(available, machine, given)
    expect(rest).toEqual({ workers })
    expect(from).toEqual({ limit, cpus: Math.max(available, machine), ...(limit === 'quota' && given) })
  })
})
