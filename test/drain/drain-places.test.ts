// Drain and steering where servers live otherwise: workers of cluster, threads, another user, a namespace with other
// settings.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { noOtherUser } from '../support/another-user.js'
import { runInNamespace, whyNoNamespace } from '../support/namespace.js'
import { start } from '../support/processes.js'
import { runJson } from '../support/run.js'

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))

interface Outcome {
  readonly answers: Readonly<Record<string, number>>
  readonly reports: readonly { readonly lossless: boolean; readonly method: string; readonly reason?: string }[]
}

test.each(['cluster', 'threads', 'processes'])(
  '%s: all but one leave at once, under load, and nothing fails',
  async (kind) => {
    await using program = start('drain-all.mjs', [JSON.stringify({ kind, members: 4 })])
    const { answers, reports } = await program.message<Outcome>()
    expect(reports).toHaveLength(3)
    for (const report of reports) expect(report).toMatchObject({ lossless: true, method: 'steer' })
    expect(Object.keys(answers).filter((answer) => !answer.startsWith('member'))).toEqual([])
    await program.exited
  },
)

interface Remembered {
  readonly remembered: number
  readonly failures: readonly string[]
}

const reason = whyNoNamespace()

test.for([
  ['syncookies always (net.ipv4.tcp_syncookies=2)', { tcp_syncookies: '2' }, 'steer'],
  ['the kernel migrates (net.ipv4.tcp_migrate_req=1)', { tcp_migrate_req: '1' }, 'steer'],
  ['no syncookies', { tcp_syncookies: '0' }, 'steer'],
])('%s: all but one leave at once, under load, and nothing fails', ([_what, settings, method], context) => {
  if (reason !== undefined) context.skip(reason)
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-rn', process.execPath, fixture('drain-all.mjs'), JSON.stringify({ kind: 'processes', members: 4, settings })],
    { encoding: 'utf8' },
  )
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const { answers, reports } = JSON.parse(stdout) as Outcome
  for (const report of reports) expect(report).toMatchObject({ lossless: true, method })
  expect(Object.keys(answers).filter((answer) => !answer.startsWith('member'))).toEqual([])
})

test('what is not finished in time is moved by the kernel where it is told to, otherwise counted as what may be lost', (context) => {
  if (reason !== undefined) context.skip(reason)
  for (const [setting, expected] of [
    [
      '1',
      {
        lossless: true,
        method: 'migrate',
        reason: 'the kernel moved to other members: 1 handshake that the clients had not finished',
      },
    ],
    ['0', { lossless: false, method: 'steer', reason: '1 handshake that the clients had not finished may be lost' }],
  ] as const) {
    const argument = JSON.stringify({ tcp_migrate_req: setting })
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['-rn', process.execPath, fixture('drain-late.mjs'), argument],
      {
        encoding: 'utf8',
      },
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const { report, heard } = JSON.parse(stdout) as { report: object; heard: string }
    expect(report).toMatchObject({ ...expected, handshakesAwaited: 1 })
    // This client has not heard the answer to its SYN and asks again; one that had heard it would be lost.
    expect(heard).toBe('staying')
  }
})

test('beside connections that have ended and that the kernel remembers, each member is told from the others', (context) => {
  if (reason !== undefined) context.skip(reason)
  const { remembered, failures } = runInNamespace<Remembered>('steer-beside-ended.mjs')
  expect(remembered).toBeGreaterThan(1700)
  expect(failures).toEqual([])
})

test('an ordinary user', (context) => {
  if (noOtherUser !== undefined) context.skip(noOtherUser)
  const outcome = runJson<Outcome>(
    'drain-all.mjs',
    [],
    [JSON.stringify({ kind: 'processes', members: 4, uid: 65_534 })],
  )
  for (const report of outcome.reports) expect(report).toMatchObject({ lossless: true, method: 'steer' })
  expect(Object.keys(outcome.answers).filter((answer) => !answer.startsWith('member'))).toEqual([])
})

test('at each kind of address, and at an interface: steered', (context) => {
  if (reason !== undefined) context.skip(reason)
  const seen = runInNamespace<readonly { place: string; method: string; reason?: string }[]>('drain-places.mjs')
  expect(seen).toHaveLength(11)
  const otherwise = seen.filter(({ method }) => method !== 'steer')
  expect(otherwise).toEqual([])
})
