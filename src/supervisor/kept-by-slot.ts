// The kept sockets of the register, with the slots that they belong to.
import { type AnyKept, isOnPort, type Kept } from './kept-socket.js'
import type { SocketState } from './register-entries.js'
import type { RunningWorker } from './running-worker.js'

/** A UDP socket that the supervisor keeps, and the slot of its worker. */
export interface SlotDatagram {
  readonly kept: Kept
  readonly slot: number
}

export function isListener(kept: AnyKept | undefined): kept is Kept {
  return isOnPort(kept) && kept.wish.datagram === undefined
}

type KeptOf = (id: string) => AnyKept | undefined

export function datagramsOf(sockets: readonly SocketState[], keptOf: KeptOf): readonly SlotDatagram[] {
  return sockets.flatMap(({ id, slot }) => {
    const kept = keptOf(id)
    return slot !== undefined && isOnPort(kept) && kept.wish.datagram !== undefined ? [{ kept, slot }] : []
  })
}

/** A socket on a port that the supervisor keeps. `slot`: undefined where all workers accept from it. */
export interface AnySlotSocket {
  readonly kept: Kept
  readonly slot: number | undefined
}

export function onPorts(sockets: readonly SocketState[], keptOf: KeptOf): readonly AnySlotSocket[] {
  return sockets.flatMap(({ id, slot }) => {
    const kept = keptOf(id)
    return isOnPort(kept) ? [{ kept, slot }] : []
  })
}

export function isHost({ isConnected, state }: Pick<RunningWorker, 'isConnected' | 'state'>): boolean {
  return isConnected && state === 'ready'
}
