// Listeners that leave a group at the same time, in this process or in others, leave it together: one of their processes
// leads. It learns their slots, puts one program in force for all of them, and has them leave when each has finished what
// its clients had begun. The group's lock is held for the first and for the last of these, not for what is between.
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { ReusePortSteeringError } from '../common/errors.js'
import { nextTurn, pause } from '../common/waiting.js'
import { ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import type { Member } from '../group/member.js'
import { groupSocketName } from '../group/name.js'
import { describeStranger, isStrangers, listenAbstract } from '../native/abstract-socket.js'
import { tellKeeper } from '../steering/keeper-channel.js'
import { DepartureProgram } from './departure-program.js'
import type { Led } from './led.js'
import { receiveListener } from './led-listener.js'
import { GATHER, MOST_GATHER } from './times.js'

/** ms for a listener beyond what it has claimed. */
const MARGIN = 1000

/** ms for listeners that were told to leave, while the group's lock is held. */
const LEAVING = 500

/** ms between two looks at what is waited for. */
const POLL_INTERVAL = 5

/** How often the leader begins again because a member has left in the meantime, which may move others to other slots. */
const ATTEMPTS = 5

export class DepartureLeader {
  readonly #member: Member
  readonly #program: DepartureProgram
  readonly #server: net.Server
  readonly #led = new Set<Led>()
  readonly #connections = new Set<net.Socket>()
  /** Ends the waiting for the lock where nobody leaves any more. */
  readonly #over = new AbortController()
  #isGathering = true
  #joinedAt = performance.now()
  /** Connections that have not said yet who they are. */
  #arriving = 0

  /**
   * @returns undefined where another process of this user leads already.
   * @throws ReusePortLockError where another user has bound the name; ReusePortSteeringError where there are no names.
   */
  static open(member: Member, lockTimeout: number): DepartureLeader | undefined {
    const leader = new DepartureLeader(member, lockTimeout)
    const name = groupSocketName('leader', member.socket)
    const failure = listenAbstract(member.addon, name, leader.#server)
    if (failure === undefined) return leader
    const code = getSystemErrorName(failure.errno)
    if (code === 'ETIMEDOUT') return undefined
    if (code === 'ENOSYS') throw new ReusePortSteeringError('this system has no abstract unix sockets')
    const reason = isStrangers(failure)
      ? describeStranger(member.addon, name, 'its name')
      : `${failure.syscall} ${code}`
    throw new ReusePortLockError(`@${name}`, reason)
  }

  private constructor(member: Member, lockTimeout: number) {
    this.#member = member
    this.#program = new DepartureProgram(member, lockTimeout, this.#over.signal)
    // Their first message brings a descriptor, which Node would not take from the socket.
    this.#server = net.createServer({ pauseOnConnect: true }, (socket) => void this.#onConnection(socket))
    this.#server.on('error', () => {})
  }

  /** @returns false where the program is in force already: this listener then has to wait for the next leader. */
  join(led: Led): boolean {
    if (!this.#isGathering) return false
    this.#led.add(led)
    this.#joinedAt = performance.now()
    return true
  }

  /**
   * A listener has left, or does not want to any more, or its process has ended.
   *
   * @param hasDetached It has left, and has detached the program before.
   */
  leave(led: Led, hasDetached = false): void {
    if (!this.#led.has(led)) return
    if (hasDetached) this.#program.isDetached()
    // The last one takes the program along, if it has not: it is of no use to those that stay.
    if (this.#led.size === 1) this.#program.detach(led)
    this.#led.delete(led)
    led.descriptor.close()
    if (this.#led.size === 0) this.#over.abort()
  }

  /** Whether there is no listener to lead any more. */
  get isOver(): boolean {
    return this.#over.signal.aborted
  }

  /** From the first listener that joins until all have left. It never rejects. */
  async run(): Promise<void> {
    try {
      await this.#gather()
      for (let attempt = 1; attempt <= ATTEMPTS && this.#led.size > 0; attempt++) {
        if (!(await this.#steer())) return
        await this.#allReady()
        if (this.#led.size > 0 && (await this.#leaveTogether(attempt === ATTEMPTS))) return
      }
    } catch (error) {
      if (!this.isOver) this.#leaveAlone('defer', error instanceof Error ? error.message : String(error))
    } finally {
      this.#end()
    }
  }

  async #onConnection(socket: net.Socket): Promise<void> {
    this.#connections.add(socket)
    socket.on('error', () => {}).once('close', () => this.#connections.delete(socket))
    this.#joinedAt = performance.now()
    this.#arriving++
    const led = await receiveListener(this.#member.addon, socket, (gone) => this.leave(gone))
    this.#arriving--
    // One that comes too late hears nothing until the connection ends with this departure: then it joins the next.
    if (led !== undefined && !this.join(led)) led.descriptor.close()
  }

  /** Those that have connected are waited for, and what waits for a turn of the event loop is heard. */
  async #gather(): Promise<void> {
    const end = performance.now() + MOST_GATHER
    const isWaiting = (): boolean => this.#arriving > 0 || performance.now() < this.#joinedAt + GATHER
    while (!this.isOver && performance.now() < end && isWaiting()) {
      await pause(POLL_INTERVAL)
      await nextTurn()
    }
    this.#isGathering = false
  }

  /** Puts the program in force, for all of them. @returns whether it is. */
  async #steer(): Promise<boolean> {
    let isSteered: boolean
    try {
      const lock = await this.#program.lock()
      try {
        this.#forgetStrangers()
        const [first, ...others] = this.#led
        if (first === undefined) return false
        isSteered = this.#program.steerAround(first, others)
      } finally {
        lock.end()
      }
    } catch (error) {
      if (!isExpected(error)) throw error
      this.#leaveAlone('defer', error.message)
      return false
    }
    if (!isSteered) {
      this.#leaveAlone('close', 'the group has no other member to steer to')
      return false
    }
    for (const led of this.#led) {
      led.isReady = false
      led.tell({ type: 'steered' })
    }
    return true
  }

  /** A descriptor that is none of a member is not a listener that leaves this group. */
  #forgetStrangers(): void {
    for (const led of [...this.#led].filter((one) => !this.#program.isMember(one))) this.#drop(led)
  }

  #drop(led: Led): void {
    led.end()
    this.leave(led)
  }

  /** One that takes longer than it has claimed is let go: it is a member as before. */
  async #allReady(): Promise<void> {
    const since = performance.now()
    for (;;) {
      const waited = performance.now() - since
      const late = [...this.#led].filter(({ isReady, patience }) => !isReady && waited > patience + MARGIN)
      for (const led of late) this.#drop(led)
      if ([...this.#led].every(({ isReady }) => isReady)) return
      await pause(POLL_INTERVAL)
    }
  }

  /** @returns whether they have left; not where slots may have changed, unless there is no other attempt. */
  async #leaveTogether(isLast: boolean): Promise<boolean> {
    const lock = await this.#program.lock()
    try {
      if (this.#program.hasGroupChanged() && !isLast) return false
      const [last, ...others] = this.#led
      const isSettled = last !== undefined && this.#program.settle(last)
      if (last !== undefined && !isSettled && others.length > 0) this.#program.narrow(last)
      for (const led of others) led.tell({ type: 'leave', detach: false })
      await this.#waitUntil(() => others.every((led) => !this.#led.has(led)))
      last?.tell({ type: 'leave', detach: !isSettled })
      await this.#waitUntil(() => this.#led.size === 0)
      return true
    } finally {
      lock.end()
    }
  }

  /** For a bounded time: the lock is held meanwhile. */
  async #waitUntil(isDone: () => boolean): Promise<void> {
    const end = performance.now() + LEAVING
    while (!isDone() && performance.now() < end) await pause(1)
  }

  #leaveAlone(method: 'close' | 'defer', reason: string): void {
    const [first] = this.#led
    if (first !== undefined) this.#program.detach(first)
    for (const led of this.#led) led.tell({ type: 'alone', method, reason })
  }

  #end(): void {
    this.#server.close()
    for (const led of [...this.#led]) this.#drop(led)
    for (const socket of this.#connections) socket.destroy()
    tellKeeper(this.#member.addon, this.#member.socket)
  }
}

function isExpected(error: unknown): error is Error {
  return (
    error instanceof ReusePortSteeringError ||
    error instanceof ReusePortInspectionError ||
    error instanceof ReusePortLockError
  )
}
