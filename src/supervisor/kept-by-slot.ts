// Pure: the kept sockets of the register, with the slots that they belong to.
import type { SlotDatagram } from './datagram-steering.js'
import { type AnyKept, isOnPort } from './kept-socket.js'
import type { SocketState } from './register-entries.js'

type KeptOf = (id: string) => AnyKept | undefined

export function datagramsOf(sockets: readonly SocketState[], keptOf: KeptOf): readonly SlotDatagram[] {
  return sockets.flatMap(({ id, slot }) => {
    const kept = keptOf(id)
    return slot !== undefined && isOnPort(kept) && kept.wish.datagram !== undefined ? [{ kept, slot }] : []
  })
}
