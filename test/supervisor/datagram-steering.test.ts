import dgram from 'node:dgram'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { Supervisor } from '../../dist/supervisor.js'
import { type Supervised, supervise } from '../support/supervisors.js'

const script = fileURLToPath(new URL('../fixtures/steered-datagram.cjs', import.meta.url))
const RELOADS = Number(process.env['DATAGRAM_RELOADS'] ?? 5)
const FLOWS = 10_000
/** So few answers are outstanding that no receive buffer is full. */
const WINDOW = 64
const policy = { by: 'bytes', offset: 0, length: 8 } as const

async function portOf({ told }: Supervised, count: number): Promise<number> {
  const ports = (): readonly number[] =>
    told.flatMap((one) => (one[0] === 'worker:message' ? [(one[2] as { readonly port: number }).port] : []))
  await vi.waitUntil(() => ports().length >= count, 20_000)
  return ports()[0] as number
}

/** Sends each flow from one of two ports. @returns which socket answered. */
async function ask(port: number, turn: number, family: 4 | 6, flows = FLOWS): Promise<ReadonlyMap<string, string>> {
  const sockets = [0, 1].map(() => dgram.createSocket(family === 4 ? 'udp4' : 'udp6'))
  const loopback = family === 4 ? '127.0.0.1' : '::1'
  const heard = new Map<string, string>()
  let sent = 0
  const id = (flow: number): string => String(flow).padStart(8, '0')
  const fill = (): void => {
    while (sent < flows && sent - heard.size < WINDOW) {
      sockets[(sent + turn) % 2]?.send(`${id(sent)} payload ${turn}`, port, loopback)
      sent++
    }
  }
  for (const socket of sockets) {
    socket.bind(0, loopback)
    await once(socket, 'listening')
    socket.on('message', (message) => {
      const [flow = '', inode = ''] = message.toString().split(' ')
      heard.set(flow, inode)
      fill()
    })
  }
  fill()
  await vi.waitUntil(() => heard.size === flows, 30_000)
  for (const socket of sockets) socket.close()
  return heard
}

function misrouted(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): number {
  return [...one].filter(([flow, inode]) => other.get(flow) !== inode).length
}

const ofType = (told: Supervised['told'], name: string): readonly unknown[] => told.filter(([one]) => one === name)

for (const [type, address, family] of [
  ['udp4', undefined, 4],
  ['udp4', '127.0.0.1', 4],
  ['udp6', undefined, 6],
] as const) {
  test(`A flow stays with its worker over ${RELOADS} reloads and changes of its port (${type}, ${address})`, {
    timeout: 60_000 + RELOADS * 20_000,
  }, async () => {
    await using supervised = supervise({ type, address }, { script, workers: 3, datagramSteering: policy })
    const { supervisor, told } = supervised
    await supervisor.start()
    const port = await portOf(supervised, 3)
    let before = new Map<string, string>() as ReadonlyMap<string, string>
    // The policy is put in force soon after the workers are ready.
    await vi.waitUntil(
      async () => {
        before = await ask(port, 0, family, 500)
        return misrouted(before, await ask(port, 1, family, 500)) === 0
      },
      { timeout: 20_000 },
    )
    before = await ask(port, 0, family)
    expect(new Set(before.values()).size).toBe(3)
    for (let reload = 1; reload <= RELOADS; reload++) {
      // Flows go on while workers are replaced.
      const [during] = await Promise.all([ask(port, reload, family), supervisor.reload()])
      expect(misrouted(before, during)).toBe(0)
    }
    expect(misrouted(before, await ask(port, RELOADS + 1, family))).toBe(0)
    expect(ofType(told, 'warning')).toEqual([])
  })
}

for (const steering of [policy, undefined]) {
  test(`A worker less loses no datagram of a wildcard socket (${steering?.by})`, { timeout: 60_000 }, async () => {
    await using supervised = supervise({}, { script, workers: 4, ...(steering && { datagramSteering: steering }) })
    const { supervisor, told } = supervised
    await supervisor.start()
    const port = await portOf(supervised, 4)
    await Promise.all([ask(port, 0, 4), supervisor.scale(2)])
    const drained = told.flatMap((one) => (one[0] === 'worker:drained' ? [one[2]] : []))
    expect(drained).toEqual([{ lossless: true }, { lossless: true }])
    const after = await ask(port, 0, 4)
    if (steering) expect(new Set(after.values()).size).toBe(2)
    if (steering) expect(misrouted(after, await ask(port, 1, 4))).toBe(0)
    expect(ofType(told, 'warning')).toEqual([])
  })
}

test('The option is validated', () => {
  for (const wrong of [
    { by: 'bytes', offset: 0, length: 21 },
    { by: 'client-address' },
    'bytes',
    { ...policy, table: [] },
  ])
    expect(() => new Supervisor({ script, datagramSteering: wrong as never })).toThrow(/datagramSteering/)
})
