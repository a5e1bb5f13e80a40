// A UDP socket that is drained where something fails, or somebody does something meanwhile.
import { createSocket, type Socket } from 'node:dgram'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bindReusePort, drain } from '../../src/index.js'
import type { AddonState } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { answering, boundSocket, failure } from '../support/answering-addon.js'
import { bound } from '../support/datagrams.js'
import { openSockets } from '../support/sockets.js'

const fakes = vi.hoisted(() => ({ state: undefined as unknown }))
vi.mock('../../src/native/addon.js', async (load) => {
  const real = await load<typeof import('../../src/native/addon.js')>()
  return { ...real, loadAddon: () => fakes.state ?? real.loadAddon() }
})

let before: readonly string[]
let leaving: Socket
let staying: Socket

async function member(port: number): Promise<Socket> {
  const socket = createSocket('udp4')
  const error = await bound(socket, () => bindReusePort(socket, { port, address: '127.0.0.1' }))
  if (error !== undefined) throw error
  return socket
}

function pretend(answers: Partial<Addon>): void {
  fakes.state = undefined
  fakes.state = { loaded: true, addon: answering(answers) } satisfies AddonState
}

beforeEach(async () => {
  fakes.state = undefined
  before = openSockets()
  staying = await member(0)
  leaving = await member(staying.address().port)
})

afterEach(async () => {
  fakes.state = undefined
  for (const socket of [leaving, staying]) {
    try {
      socket.close()
    } catch {
      // It has been drained.
    }
  }
  await expect.poll(openSockets).toEqual(before)
})

test('handed over: whoever has it goes on with what waits', async () => {
  expect(await drain(leaving, { handOver: true })).toMatchObject({
    lossless: true,
    method: 'hand-over',
    reason: undefined,
  })
})

const LOST = 'datagrams in the receive buffer, and those that arrived while the socket closed, may be lost'

test('without the addon it is closed, and said what is lost', async () => {
  fakes.state = { loaded: false, reason: 'there is none', cause: undefined } satisfies AddonState
  expect(await drain(leaving)).toMatchObject({
    lossless: false,
    method: 'close',
    reason: `${LOST}; connections cannot be steered: the native addon is missing: there is none`,
  })
})

test('where the kernel does not tell who is on the port, too', async () => {
  pretend({ dumpSockets: () => failure('EPERM', 'recvfrom') })
  const { method, reason } = await drain(leaving)
  expect(method).toBe('close')
  expect(reason).toMatch(
    /^datagrams in the receive buffer.*; drain needs Linux and its sock_diag interface: recvfrom EPERM$/,
  )
})

test('without a descriptor that can be found, too', async () => {
  const [name] = Object.getOwnPropertySymbols(leaving).filter(({ description }) => description === 'state symbol')
  const state = Reflect.get(leaving, name as symbol) as { handle: object }
  const { handle } = state
  Object.defineProperty(handle, 'fd', { value: -1, configurable: true })
  const { method, reason } = await drain(leaving)
  expect(method).toBe('close')
  expect(reason).toMatch(/drain cannot find the descriptor of the dgram socket/)
})

test('a mistake is no reason: it is thrown, and the socket stays', async () => {
  pretend({
    dumpSockets: () => {
      throw new TypeError('a mistake')
    },
  })
  await expect(drain(leaving)).rejects.toThrow(TypeError)
  expect(leaving.address().port).toBe(staying.address().port)
})

test('where it cannot be connected to itself', async () => {
  pretend({ connectDatagram: () => failure('EPERM', 'connect') })
  expect(await drain(leaving)).toMatchObject({
    lossless: false,
    method: 'close',
    reason: 'datagrams that arrived while the socket closed may be lost (connect EPERM)',
  })
})

test('closed by its program meanwhile', async () => {
  const drained = drain(leaving, { grace: 50 })
  setTimeout(() => leaving.close(), 10)
  expect(await drained).toMatchObject({ lossless: true, method: 'steer' })
})

test('what is not read in time is told', async () => {
  const { dumpSockets } = answering({})
  pretend({
    // Those that are asked about after it has been steered away.
    dumpSockets: (request) => {
      const rows = dumpSockets(request)
      return 'errno' in rows ? rows : rows.map((row) => ({ ...row, queued: 700 }))
    },
  })
  expect(await drain(leaving, { grace: 0 })).toMatchObject({
    lossless: false,
    method: 'steer',
    reason: 'datagrams that the process had not read are lost (700 bytes)',
  })
})

test('one that the kernel lists no more has nothing that waits', async () => {
  const { dumpSockets } = answering({})
  let asked = 0
  pretend({ dumpSockets: (request) => (++asked > 4 ? [boundSocket()] : dumpSockets(request)) })
  expect(await drain(leaving, { grace: 0 })).toMatchObject({ lossless: true, method: 'steer' })
})
