// A group that somebody has left behind is put right: by the next drain (drain.test.ts), and by whoever is asked to.
import { spawnSync } from 'node:child_process'
import type net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { repairGroup, steer } from '../../src/index.js'
import { loadAddon } from '../../src/native/addon.js'
import { serverDescriptor } from '../../src/node/adopt.js'
import { hearMany, named, share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'
import { start } from '../support/processes.js'

const state = loadAddon()
if (!state.loaded) throw new Error(state.reason)
const { addon } = state

const opened: net.Server[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => closed(server)))
})

/** Two members, of which one gets nothing: a third died while it drained. */
async function leftBehind(): Promise<number> {
  const servers = [named('first'), named('second')]
  opened.push(...servers)
  await using doomed = start('drain.mjs', [JSON.stringify({ host: '127.0.0.1', port: 0 })])
  const { port } = await doomed.message<{ port: number }>()
  await share(servers, '127.0.0.1', port)
  doomed.send({ act: 'drain', options: { grace: 5000 } })
  await doomed.message()
  // Steered away at once; its death moves the last member to its slot.
  while (Object.keys(await hearMany(port, 40)).length > 2) await pause(5)
  doomed.child.kill('SIGKILL')
  await doomed.exited
  return port
}

const reuseport = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

function doctor(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--no-warnings', reuseport, 'doctor', ...args], { encoding: 'utf8' })
}

test('repairGroup: all members get connections again', async () => {
  const port = await leftBehind()
  // One of the two is starved; that this is so is what makes the test one.
  const before = await hearMany(port, 200)
  expect(Math.min(before['first'] ?? 0, before['second'] ?? 0)).toBeLessThan(200 * 0.1 + 60)
  expect(await repairGroup({ host: '127.0.0.1', port })).toEqual({
    policy: 'hash',
    method: 'hash',
    members: 2,
    keeper: undefined,
    reason: undefined,
  })
  expect(Object.keys(await hearMany(port, 100)).toSorted()).toEqual(['first', 'second'])
})

test('where no debugger may attach: by joining for a moment', async () => {
  const servers = [named('first'), named('second')]
  opened.push(...servers)
  const port = await share(servers)
  addon.attachProgram(serverDescriptor(servers[0] as net.Server) as number, Uint32Array.of(6, 0, 0, 0))
  expect(await hearMany(port, 30)).toEqual({ first: 30 })
  const { takeSocket } = addon
  addon.takeSocket = () => ({ errno: -1, syscall: 'pidfd_getfd' })
  try {
    expect(await repairGroup({ host: '127.0.0.1', port })).toMatchObject({ method: 'hash', members: 2 })
  } finally {
    addon.takeSocket = takeSocket
  }
  expect(Object.keys(await hearMany(port, 100)).toSorted()).toEqual(['first', 'second'])
})

test('a policy that somebody keeps is put in force anew', async () => {
  const servers = [named('first'), named('second'), named('third')]
  opened.push(...servers)
  const port = await share(servers)
  await steer(servers[0] as net.Server, { program: [{ code: 6, k: 1 }] })
  addon.detachProgram(serverDescriptor(servers[0] as net.Server) as number)
  expect(await repairGroup({ host: '127.0.0.1', port })).toMatchObject({ method: 'program', keeper: process.pid })
  await expect.poll(() => hearMany(port, 30)).toEqual({ second: 30 })
})

test('nobody there', async () => {
  await expect(repairGroup({ host: '127.0.0.1', port: 1 })).rejects.toMatchObject({
    code: 'ERR_REUSEPORT_STEERING_UNAVAILABLE',
  })
})

test('reuseport doctor --fix', async () => {
  const port = await leftBehind()
  const outcome = await new Promise<ReturnType<typeof doctor>>((resolve) => resolve(doctor('--fix', String(port))))
  expect(outcome).toMatchObject({ status: 0, stderr: '', stdout: `✓ tcp 127.0.0.1:${port}  2 members  by hash\n` })
  expect(Object.keys(await hearMany(port, 100)).toSorted()).toEqual(['first', 'second'])
  expect(JSON.parse(doctor('--fix', '--json', String(port)).stdout)).toEqual({
    groups: [{ address: '127.0.0.1', port, members: 2, inForce: 'hash' }],
  })
  expect(doctor('--fix', '1').stdout).toBe(
    'Nothing to repair: on these ports no group of this user has more than one member.\n',
  )
  expect(doctor('--fix', 'http')).toMatchObject({ status: 2, stderr: expect.stringContaining("'http' is not a port") })
})
