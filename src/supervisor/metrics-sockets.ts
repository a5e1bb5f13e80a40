// The queues of the sockets that the supervisor keeps, as the kernel counts them. No process is looked at.
import { addressText } from '../common/address.js'
import { loadAddon } from '../native/addon.js'
import type { SocketRow } from '../native/addon-contract.js'
import type { AnySlotSocket } from './kept-by-slot.js'
import type { SocketNumbers } from './metrics-families.js'

/** States as the kernel numbers them (tcp_states.h): a listener, and a UDP socket that is bound and not connected. */
const STATE = { tcp: 10, udp: 7 } as const
/** Up to this many ports are asked for one by one. */
const FEW = 8

/** @returns nothing where the system does not tell. Sockets of one slot at one address are one entry. */
export function numbersOfSockets(sockets: readonly AnySlotSocket[]): readonly SocketNumbers[] {
  const rows = new Map([...rowsOf('tcp', sockets), ...rowsOf('udp', sockets)].map((row) => [row.inode, row]))
  const found = new Map<string, SocketNumbers>()
  for (const { kept, slot } of sockets) {
    const row = rows.get(kept.inode)
    if (row === undefined) continue
    const protocol = protocolOf(kept)
    const address = addressText(kept.address, kept.port)
    const key = `${slot} ${protocol} ${address}`
    const others = found.get(key)
    found.set(key, {
      slot,
      protocol,
      address,
      queued: row.queued + (others?.queued ?? 0),
      limit: (protocol === 'tcp' ? row.limit : (row.receiveBuffer ?? 0)) + (others?.limit ?? 0),
      drops: row.drops === null ? others?.drops : row.drops + (others?.drops ?? 0),
    })
  }
  return [...found.values()]
}

function protocolOf({ wish }: AnySlotSocket['kept']): 'tcp' | 'udp' {
  return wish.datagram === undefined ? 'tcp' : 'udp'
}

function rowsOf(protocol: 'tcp' | 'udp', sockets: readonly AnySlotSocket[]): readonly SocketRow[] {
  const state = loadAddon()
  const own = sockets.filter(({ kept }) => protocolOf(kept) === protocol)
  const ports = new Set(own.map(({ kept }) => kept.port))
  const families = new Set(own.map(({ kept }) => (kept.family === 'IPv4' ? 4 : 6)))
  if (!state.loaded) return []
  return [...families].flatMap((family) =>
    (ports.size > FEW ? [0] : [...ports]).flatMap((port) => {
      const rows = state.addon.dumpSockets({ transport: protocol, family, states: 1 << STATE[protocol], port })
      return 'errno' in rows ? [] : rows
    }),
  )
}
