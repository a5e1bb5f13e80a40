import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../native/addon.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { DatagramGroup, type WorkerSocket } from '../steering/datagram-group.js'
import type { BytesPolicy } from '../steering/steering-types.js'
import type { SlotDatagram } from './kept-by-slot.js'
import type { Kept } from './kept-socket.js'
import type { KeptSockets } from './kept-sockets.js'
import { placeKey } from './protocol.js'
import { Queue } from './queue.js'
import type { Emit } from './restart.js'
import type { RunningWorker } from './running-worker.js'

/** How often, and after how many ms, a policy is put in force again that could not be. */
const ATTEMPTS = 10
const PAUSE = 50

interface Leaving extends WorkerSocket {
  readonly id: string
  readonly key: string
  readonly descriptor: OwnedDescriptor
}

/** What becomes of the UDP sockets of a worker that leaves. */
export interface Departure {
  /** Sends new datagrams elsewhere, and tells the worker. @param handedOver Ids of sockets that stay. */
  steer(handedOver: readonly string[]): Promise<void>
  /** The worker has ended. */
  ended(): void
}

/** Chooses the worker of each datagram, and sends datagrams around a worker that leaves. */
export class DatagramSteering {
  readonly #policy: BytesPolicy | undefined
  readonly #sockets: () => readonly SlotDatagram[]
  readonly #warn: (message: string) => void
  readonly #groups = new Map<string, DatagramGroup>()
  readonly #leaving = new Set<Leaving>()
  readonly #work = new Queue()
  /** The members for which the policy was put in force, by group. */
  readonly #inForce = new Map<string, string>()
  #isPlanned = false
  #isClosed = false

  constructor(
    policy: BytesPolicy | undefined,
    sockets: () => readonly SlotDatagram[],
    warn: (message: string) => void,
  ) {
    this.#policy = policy
    this.#sockets = sockets
    this.#warn = warn
  }

  /** Sockets may have come or gone. */
  changed(): void {
    if (this.#policy === undefined || this.#isPlanned || this.#isClosed) return
    this.#isPlanned = true
    void this.#work.run(async () => {
      await new Promise(setImmediate)
      this.#isPlanned = false
      await this.#putAll()
    })
  }

  /** @param accepted The sockets of the worker, before any of them is closed. */
  leaves(accepted: readonly Kept[], worker: RunningWorker): Departure | undefined {
    const state = loadAddon()
    if (this.#isClosed || !state.loaded) return undefined
    const { addon } = state
    const { slot } = worker
    const held = accepted.flatMap((kept): readonly Leaving[] => {
      const fd = kept.wish.datagram === undefined ? undefined : addon.duplicate(kept.fd)
      if (typeof fd !== 'number') return []
      const descriptor = new OwnedDescriptor(addon, fd, kept.family === 'IPv4' ? 4 : 6)
      const { id, inode, port } = kept
      return [{ id, inode, port, slot, fd, descriptor, key: placeKey(kept), isLeaving: true }]
    })
    if (held.length === 0) return undefined
    let own: readonly Leaving[] = []
    return {
      steer: (handedOver) => {
        for (const one of held) if (handedOver.includes(one.id)) one.descriptor.close()
        own = held.filter(({ id }) => !handedOver.includes(id))
        for (const one of own) this.#leaving.add(one)
        if (own.length === 0) return Promise.resolve()
        return this.#work.run(async () => {
          const ids: string[] = []
          for (const { id, key } of own) if (await this.#put(key)) ids.push(id)
          if (ids.length > 0) worker.send({ type: 'steered', ids })
        })
      },
      ended: () => void this.#work.run(async () => this.#ended(own)),
    }
  }

  /** All workers are told to leave. */
  close(): void {
    this.#isClosed = true
  }

  async #ended(own: readonly Leaving[]): Promise<void> {
    for (const one of own) {
      this.#leaving.delete(one)
      one.descriptor.close()
      if (this.#isClosed) continue
      const { key } = one
      const sockets = this.#membersOf(key)
      try {
        if (this.#groups.get(key)?.removed(one.inode, sockets) === true) this.#inForce.set(key, textOf(sockets))
        else await this.#put(key)
      } catch {
        await this.#put(key)
      }
    }
  }

  async #putAll(): Promise<void> {
    for (const key of new Set(this.#sockets().map(({ kept }) => placeKey(kept)))) {
      if (this.#inForce.get(key) !== textOf(this.#membersOf(key))) await this.#put(key)
    }
  }

  /** @returns whether members stay, and they alone get datagrams. */
  async #put(key: string, attempt = 0): Promise<boolean> {
    const state = loadAddon()
    const sockets = this.#membersOf(key)
    if (this.#isClosed || !state.loaded || sockets.every(({ isLeaving }) => isLeaving)) return false
    const group = this.#groups.get(key) ?? new DatagramGroup(state.addon, this.#policy)
    this.#groups.set(key, group)
    this.#inForce.set(key, textOf(sockets))
    try {
      await group.put(sockets)
      return true
    } catch (error) {
      // The message of a worker that has just bound its socket may be on its way.
      if (attempt < ATTEMPTS) {
        await sleep(PAUSE)
        return this.#put(key, attempt + 1)
      }
      const what = `datagrams to ${key} go to the workers by the kernel's hash`
      if (this.#policy !== undefined && !this.#isClosed) this.#warn(`${what}: ${(error as Error).message}`)
      return false
    }
  }

  #membersOf(key: string): readonly WorkerSocket[] {
    const staying = this.#sockets().filter(({ kept }) => placeKey(kept) === key)
    return [
      ...staying.map(({ kept: { fd, inode, port }, slot }) => ({ fd, inode, port, slot, isLeaving: false })),
      ...[...this.#leaving].filter((one) => one.key === key),
    ]
  }
}

function textOf(sockets: readonly WorkerSocket[]): string {
  return sockets.map(({ inode, isLeaving, slot }) => `${inode} ${slot} ${isLeaving}`).join()
}

interface Owner {
  readonly emit: Emit
  readonly settings: { readonly datagramSteering: BytesPolicy | undefined }
  readonly signal: AbortSignal
}

/** The steering of the sockets of a pool, until its supervisor stops. */
export function steerDatagrams({ emit, settings, signal }: Owner, sockets: KeptSockets): DatagramSteering {
  const steering = new DatagramSteering(settings.datagramSteering, sockets.datagrams, (text) => emit('warning', text))
  sockets.onChanged = () => steering.changed()
  signal.addEventListener('abort', () => steering.close(), { once: true })
  return steering
}
