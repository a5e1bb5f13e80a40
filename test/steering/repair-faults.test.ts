// A group cannot be put right: what is told, and that nobody stays in it.
import net from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { repairGroup, steer } from '../../src/index.js'
import type { AddonState } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { answering, failure } from '../support/answering-addon.js'
import { share } from '../support/group-of-servers.js'
import { closed } from '../support/listeners.js'
import { listenersOn, openSockets } from '../support/sockets.js'

const fakes = vi.hoisted(() => ({ state: undefined as unknown }))
vi.mock('../../src/native/addon.js', async (load) => {
  const real = await load<typeof import('../../src/native/addon.js')>()
  return { ...real, loadAddon: () => fakes.state ?? real.loadAddon() }
})

function pretend(answers: Partial<Addon>): void {
  fakes.state = undefined
  fakes.state = { loaded: true, addon: answering(answers) } satisfies AddonState
}

let before: readonly string[]
let servers: net.Server[]

beforeEach(() => {
  before = openSockets()
  servers = [net.createServer(), net.createServer()]
})

afterEach(async () => {
  fakes.state = undefined
  await Promise.all(servers.map((server) => closed(server)))
  await expect.poll(openSockets).toEqual(before)
})

const OUT_OF_REACH: Partial<Addon> = { takeSocket: () => failure('EPERM', 'pidfd_getfd') }

test.each(['127.0.0.1', '::1'])('at %s, by joining for a moment', async (host) => {
  const port = await share(servers, host)
  pretend(OUT_OF_REACH)
  expect(await repairGroup({ host, port })).toMatchObject({ method: 'hash', members: 2 })
  expect(listenersOn(port)).toHaveLength(2)
})

test.each([
  ['no descriptor is left', { openSocket: () => failure('EMFILE', 'socket') }, /no descriptor is left in this process/],
  ['nobody new can be kept silent', { deferNewConnections: () => failure('EPERM', 'setsockopt') }, /setsockopt EPERM/],
  ['it cannot be bound', { bind: () => failure('EADDRINUSE', 'bind') }, /bind EADDRINUSE/],
  ['it does not listen', { listen: () => failure('EADDRINUSE', 'listen') }, /listen EADDRINUSE/],
  ['the program stays', { detachProgram: () => failure('EACCES', 'setsockopt') }, /security module.*setsockopt EACCES/],
] as const)('not where %s', async (_what, answers, message) => {
  const port = await share(servers)
  pretend({ ...OUT_OF_REACH, ...answers })
  await expect(repairGroup({ host: '127.0.0.1', port })).rejects.toThrow(message)
  expect(listenersOn(port)).toHaveLength(2)
})

test('nor a group at a device that is out of reach: who joins would need that device', async () => {
  const port = await share(servers)
  const { dumpSockets } = answering({})
  pretend({
    ...OUT_OF_REACH,
    dumpSockets(request) {
      const rows = dumpSockets(request)
      return 'errno' in rows ? rows : rows.map((row) => ({ ...row, device: 3 }))
    },
  })
  await expect(repairGroup({ host: '127.0.0.1', port })).rejects.toThrow(
    /the socket of process \d+ cannot be duplicated/,
  )
})

test('an error that nobody foresaw is told as it is', async () => {
  const port = await share(servers)
  pretend({
    takeSocket: () => {
      throw new TypeError('a mistake')
    },
  })
  await expect(repairGroup({ host: '127.0.0.1', port })).rejects.toThrow(TypeError)
})

test('a policy that cannot be changed from outside is taken for what it is, where that may be', async () => {
  const port = await share(servers)
  pretend(OUT_OF_REACH)
  const target = { host: '127.0.0.1', port }
  await expect(steer(target, 'random')).rejects.toMatchObject({ code: 'ERR_REUSEPORT_STEERING_UNAVAILABLE' })
  expect(await steer(target, 'random', { optional: true })).toMatchObject({
    policy: 'hash',
    reason: expect.stringMatching(/the socket of process \d+ cannot be duplicated/),
  })
})
