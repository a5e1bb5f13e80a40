// Which handshakes are under way at a listener: one look answers all who ask in one turn, and each gets its own.
import { expect, test, vi } from 'vitest'
import { handshakesAt } from '../../src/group/handshakes.js'
import { answering, boundSocket, failure } from '../support/answering-addon.js'

const A = '8080 127.0.0.1 127.0.0.2:5'
const B = '8080 127.0.0.3 127.0.0.2:6'
const C = '80 127.0.0.1 127.0.0.2:7'
const everywhere = boundSocket({ address: '0.0.0.0' })
const at80 = boundSocket({ port: 80 })

function looking(answer: readonly string[] = [A, B, C]) {
  const dumpHandshakes = vi.fn(() => answer)
  return { addon: answering({ dumpHandshakes }), dumpHandshakes }
}

test('of its address and port, or of its port where it listens everywhere', async () => {
  const { addon, dumpHandshakes } = looking()
  expect(await handshakesAt(addon, boundSocket())).toEqual(new Set([A]))
  expect(await handshakesAt(addon, everywhere)).toEqual(new Set([A, B]))
  // The kernel selects one port itself.
  expect(dumpHandshakes.mock.calls).toMatchObject([[{ port: 8080, family: 4 }], [{ port: 8080, family: 4 }]])
})

test('one look for all who ask in one turn, in a later turn; one more for who asks then', async () => {
  const { addon, dumpHandshakes } = looking()
  const both = [handshakesAt(addon, everywhere), handshakesAt(addon, at80), handshakesAt(addon, boundSocket())]
  await Promise.resolve()
  expect(dumpHandshakes).not.toHaveBeenCalled()
  expect(await Promise.all(both)).toEqual([new Set([A, B]), new Set([C]), new Set([A])])
  expect(dumpHandshakes.mock.calls).toMatchObject([[{ port: 0, family: 4 }]])
  await handshakesAt(addon, at80)
  expect(dumpHandshakes.mock.lastCall).toMatchObject([{ port: 80 }])
})

test('a look for each family, and what the kernel refuses is told to all', async () => {
  const denied = failure('EPERM', 'recvfrom')
  const dumpHandshakes = vi.fn(({ family }: { family: 4 | 6 }) => (family === 4 ? denied : []))
  const addon = answering({ dumpHandshakes })
  const ipv6 = boundSocket({ family: 'IPv6', address: '::' })
  const asked = [boundSocket(), everywhere, ipv6].map((socket) => handshakesAt(addon, socket))
  expect(await Promise.all(asked)).toEqual([denied, denied, new Set()])
  expect(dumpHandshakes).toHaveBeenCalledTimes(2)
})
