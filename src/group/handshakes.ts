import type { SystemFailure } from '../common/errors.js'
import { nextTurn } from '../common/waiting.js'
import type { Addon } from '../native/addon-contract.js'
import { type BoundSocket, STATES } from './socket-table.js'

type Family = 4 | 6

interface Asked {
  readonly ports: Set<number>
  readonly answer: Promise<readonly string[] | SystemFailure>
}

const asked = new Map<Family, Asked>()

/**
 * The handshakes under way at the address and port of a listener, each as a text that is the same in every answer. The
 * kernel does not report which listener of a group each belongs to.
 *
 * One look at the kernel's table, of the next turn of the event loop, answers all who ask in this turn: the kernel walks
 * its whole table of connections for each look, some 20 ms where that table is large.
 */
export async function handshakesAt(
  addon: Addon,
  socket: Pick<BoundSocket, 'address' | 'family' | 'port'>,
): Promise<ReadonlySet<string> | SystemFailure> {
  const { address, port } = socket
  const family = socket.family === 'IPv4' ? 4 : 6
  const ports = asked.get(family)?.ports ?? new Set()
  const { answer } = asked.get(family) ?? { answer: look(addon, family, ports) }
  asked.set(family, { ports, answer })
  ports.add(port)
  const handshakes = await answer
  if ('errno' in handshakes) return handshakes
  const here = address === '::' || address === '0.0.0.0' ? undefined : `${port} ${address} `
  return new Set(handshakes.filter((one) => one.startsWith(here ?? `${port} `)))
}

async function look(
  addon: Addon,
  family: Family,
  ports: ReadonlySet<number>,
): Promise<readonly string[] | SystemFailure> {
  await nextTurn()
  asked.delete(family)
  const [port = 0, ...others] = ports
  return addon.dumpHandshakes({
    transport: 'tcp',
    family,
    states: 1 << STATES.synReceived,
    port: others.length > 0 ? 0 : port,
  })
}
