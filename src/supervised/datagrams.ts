// The UDP sockets of this worker. Its supervisor keeps a duplicate of each, with what waits in its receive buffer.
import { setTimeout as sleep } from 'node:timers/promises'
import { leaveDatagramGroup } from '../drain/drain-datagram.js'
import type { BindableSocket, DrainReport } from '../index.js'
import type { ListenWish } from '../listen/supervision.js'
import { datagramHandle, isClosed } from '../node/datagram-internals.js'
import { handOverHandle, onHandleClosed } from '../node/kept-datagram.js'
import type { DrainTimes } from './drain-times.js'
import type { Link } from './link.js'

type Report = Pick<DrainReport, 'lossless' | 'reason'>

interface Bound {
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
}

export class Datagrams {
  readonly #link: Link
  readonly #newId: () => string
  readonly #giveBack: (id: string) => void
  readonly #sockets = new Map<BindableSocket, string>()
  /** Sockets that get no new datagrams. */
  steered: readonly string[] = []

  constructor(link: Link, newId: () => string, giveBack: (id: string) => void) {
    this.#link = link
    this.#newId = newId
    this.#giveBack = giveBack
  }

  /** @param known The id of the socket, where the supervisor already has it. */
  add(socket: BindableSocket, wish: ListenWish, known: string | undefined): void {
    const handle = datagramHandle(socket) as { readonly fd?: number } | undefined
    const { isThread, configuration } = this.#link
    // Where all workers accept from one socket, the supervisor gives no other to one of them.
    if (handle === undefined || configuration.isShared) return
    const id = known ?? this.#newId()
    this.#sockets.set(socket, id)
    onHandleClosed(handle, () => {
      this.#sockets.delete(socket)
      this.#giveBack(id)
      this.#link.send({ type: 'closed', id })
    })
    const { address, family, port } = socket.address() as Bound
    const sent = known === undefined ? handle : undefined
    const message = { type: 'listening', id, wish, address, family, port, fd: isThread ? sent?.fd : undefined } as const
    this.#link.send(message, isThread ? undefined : sent, () => {
      if (!isClosed(socket)) this.#link.send(message)
    })
  }

  /** Reads no more from the sockets that a successor has, and of the others what waits. All can send until the program ends. */
  async leave(kept: readonly string[], times: DrainTimes): Promise<readonly Report[]> {
    const all = [...this.#sockets]
    const isHandedOver = ([, id]: (typeof all)[number]): boolean => kept.includes(id)
    for (const [socket] of all.filter(isHandedOver)) handOverHandle(datagramHandle(socket) ?? {})
    // The program answers what it has read.
    if (all.some(isHandedOver)) await sleep(times.grace)
    const left = all.filter((one) => !isHandedOver(one))
    return Promise.all(left.map(([socket, id]) => leaveDatagramGroup(socket, times.grace, this.steered.includes(id))))
  }
}
