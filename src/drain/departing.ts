// A listener's side of a departure: it joins the one that is led by its own process or by another.
import type net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { onLine } from '../common/lines.js'
import { type Deadline, pause } from '../common/waiting.js'
import { ReusePortLockError } from '../group/group-errors.js'
import type { Member } from '../group/member.js'
import { groupSocketName } from '../group/name.js'
import { connectAbstract } from '../native/abstract-socket.js'
import { OwnedDescriptor } from '../native/owned-descriptor.js'
import { connectionDescriptor } from '../node/adopt.js'
import { DepartureLeader } from './leader.js'
import {
  type FromLeader,
  formatMessage,
  LONGEST_MESSAGE,
  LONGEST_PATIENCE,
  parseFromLeader,
} from './leader-messages.js'
import type { Led } from './led.js'

export interface Departing {
  /** The next order of the leader; `'gone'` where there is no leader any more. */
  next(): Promise<FromLeader | 'gone'>
  /** Whether there is no leader any more, whatever it has ordered before. */
  isGone(): boolean
  /** This listener can leave. */
  ready(): void
  /**
   * It has left, or leaves by itself, or stays. Resolves when this process leads no departure because of it.
   *
   * @param hasDetached It has left, and has detached the program before.
   */
  end(hasDetached: boolean): Promise<void>
}

/** ms between two attempts while the leader accepts no connection. */
const CROWDED = 5

/**
 * @param lockTimeout ms for the group's lock, where this process leads.
 * @param patience ms in which the listener is ready once it was told that new connections go elsewhere, at most.
 * @throws ReusePortLockError where no departure can be joined in time, or another user has bound the leader's name;
 *   ReusePortSteeringError where there are no such names; the reason of the signal.
 */
export async function joinDeparture(
  member: Member,
  lockTimeout: number,
  patience: number,
  deadline: Deadline,
): Promise<Departing> {
  const name = groupSocketName('leader', member.socket)
  for (;;) {
    deadline.assertNotAborted()
    const leader = DepartureLeader.open(member, lockTimeout)
    if (leader !== undefined) return lead(leader, member, patience)
    const socket = connectAbstract(member.addon, name)
    if (!('errno' in socket)) return follow(socket, member, patience)
    if (deadline.left() === 0) {
      const reason = `waited ${deadline.total} ms for drains of other processes (${getSystemErrorName(socket.errno)})`
      throw new ReusePortLockError(`@${name}`, reason)
    }
    await pause(CROWDED)
  }
}

/** Orders in their order; each is taken once. */
class Orders {
  readonly #orders: (FromLeader | 'gone')[] = []
  #wake: () => void = () => {}

  push(order: FromLeader | 'gone'): void {
    this.#orders.push(order)
    this.#wake()
  }

  get hasEnd(): boolean {
    return this.#orders.includes('gone')
  }

  async next(): Promise<FromLeader | 'gone'> {
    for (;;) {
      const order = this.#orders.shift()
      if (order !== undefined) return order
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

function lead(leader: DepartureLeader, member: Member, patience: number): Departing {
  const { addon, fd, socket } = member
  const orders = new Orders()
  const duplicate = addon.duplicate(fd)
  if (typeof duplicate !== 'number') {
    const ended = leader.run()
    orders.push({
      type: 'alone',
      method: 'defer',
      reason: `${duplicate.syscall} ${getSystemErrorName(duplicate.errno)}`,
    })
    return { next: () => orders.next(), isGone: () => orders.hasEnd, ready: () => {}, end: () => ended }
  }
  const led: Led = {
    descriptor: new OwnedDescriptor(addon, duplicate, socket.family === 'IPv4' ? 4 : 6),
    inode: socket.inode,
    patience,
    isReady: false,
    tell: (order) => orders.push(order),
    end: () => orders.push('gone'),
  }
  leader.join(led)
  const ended = leader.run()
  return {
    next: () => orders.next(),
    isGone: () => orders.hasEnd,
    ready: () => {
      led.isReady = true
    },
    end: async (hasDetached) => {
      leader.leave(led, hasDetached)
      // Others that it leads go on without this one.
      if (leader.isOver) await ended
    },
  }
}

function follow(socket: net.Socket, { addon, fd }: Member, patience: number): Departing {
  const orders = new Orders()
  socket.on('error', () => {}).once('close', () => orders.push('gone'))
  const own = connectionDescriptor(socket)
  const joining = formatMessage({ type: 'join', patience: Math.min(patience, LONGEST_PATIENCE) }).trimEnd()
  const failure = own === undefined ? undefined : addon.sendDescriptor(own, fd, joining)
  if (own === undefined || failure !== undefined) socket.destroy()
  onLine(socket, LONGEST_MESSAGE, (line) => {
    try {
      orders.push(parseFromLeader(line))
    } catch {
      socket.destroy()
    }
  })
  socket.ref()
  return {
    next: () => orders.next(),
    isGone: () => orders.hasEnd,
    ready: () => void (socket.writable && socket.write(formatMessage({ type: 'ready' }))),
    end: async () => void socket.destroy(),
  }
}
