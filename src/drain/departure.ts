// How a listener leaves its group: steps 1 to 4 of a drain (docs/api.md).

import process from 'node:process'
import type { AbortSignalLike } from '../common/abort-signal.js'
import { ReusePortSteeringError, type SystemFailure } from '../common/errors.js'
import { Deadline, nextTurn, pause } from '../common/waiting.js'
import { ReusePortLockError } from '../group/group-errors.js'
import type { Member } from '../group/member.js'
import { type Departing, joinDeparture } from './departing.js'
import type { DrainMethod } from './drain-types.js'
import { LeavingListener, textOf } from './leaving-listener.js'
import { migrates } from './migration.js'
import { ACCEPT_TIMEOUT, type LeavingTimes, longestBeginning, longestCompany, longestFinish } from './times.js'

export interface DepartureTimes extends LeavingTimes {
  readonly signal: AbortSignalLike | undefined
}

/** The server that leaves its group. */
export interface Leaver {
  /** False where the program has closed the server in the meantime. */
  isListening(): boolean
  /** Called once, when the drain begins. */
  onLeaving(): void
  /** Calls `tell` with the descriptor of each connection accepted from now on. @returns a function that ends this. */
  onAccepted(tell: (fd: number) => void): () => void
  /** Closes the listener synchronously. */
  stopListening(): void
}

export interface Departure {
  readonly method: DrainMethod
  readonly handshakesAwaited: number
  /** What may have been lost, a sentence for each loss. */
  readonly losses: readonly string[]
  /** Why `method` is not 'steer'. */
  readonly reason: string | undefined
}

/** ms between two checks of a condition that the drain waits for. */
const POLL_INTERVAL = 10

/**
 * @throws the signal's reason; ReusePortSteeringError or ReusePortInspectionError where the caller can only close the
 *   listener. After a throw the server still listens and is a member as before.
 */
export async function depart(member: Member, leaver: Leaver, times: DepartureTimes): Promise<Departure> {
  const leaving: Leaving = { listener: new LeavingListener(member), leaver, times, stopResetting: undefined }
  try {
    return await leaveWithOthers(leaving)
  } finally {
    leaving.stopResetting?.()
    leaving.listener.end()
  }
}

/** What one listener needs until it has left. */
interface Leaving {
  readonly listener: LeavingListener
  readonly leaver: Leaver
  readonly times: DepartureTimes
  /** Set while new connections are deferred. */
  stopResetting: (() => void) | undefined
}

/** Joins the departure that is led for the group, and follows its leader; where that ends first, the next one. */
async function leaveWithOthers(leaving: Leaving): Promise<Departure> {
  const { listener, leaver, times } = leaving
  leaver.onLeaving()
  const deadline = new Deadline(longestBeginning(times), times.signal)
  const total = new Deadline(longestCompany(times), times.signal)
  let finished: Awaited | undefined
  for (;;) {
    let departing: Departing
    try {
      departing = await joinDeparture(listener.member, times.lockTimeout, longestFinish(times), deadline)
    } catch (error) {
      if (!isExpected(error)) throw error
      return leaveAlone(leaving, 'defer', error.message)
    }
    let hasDetached = false
    try {
      for (;;) {
        const order = await (finished === undefined ? deadline : total).race(departing.next())
        if (order === 'gone') break
        if (order === 'late') {
          const waited = finished === undefined ? deadline.total : total.total
          const reason = `process ${process.pid} waited ${waited} ms for drains of other processes to end`
          return await leaveAlone(leaving, 'defer', reason)
        }
        if (order.type === 'alone') return await leaveAlone(leaving, order.method, order.reason)
        if (order.type === 'leave' && finished !== undefined) {
          // What came since, if anything did: the leader waits a moment.
          await emptyQueue(listener, leaver, times, LAST_LOOK)
          hasDetached = order.detach
          return close(leaving, { method: 'steer', reason: undefined }, finished, order.detach)
        }
        await waitWhile(times.grace, times, () => leaver.isListening())
        const now = await finish(listener, leaver, times)
        finished = { ...now, awaited: now.awaited + (finished?.awaited ?? 0) }
        defer(leaving)
        departing.ready()
      }
    } finally {
      await departing.end(hasDetached)
    }
  }
}

/** ms for a last look at the accept queue when all leave. */
const LAST_LOOK = 100

interface Way {
  readonly method: DrainMethod
  readonly reason: string | undefined
}

/** Without a program: new connections get no answer, so that their clients ask again, when this listener is gone. */
async function leaveAlone(leaving: Leaving, wanted: 'close' | 'defer', reason: string): Promise<Departure> {
  const { listener, leaver, times } = leaving
  const refused = defer(leaving)
  const method = refused === undefined ? wanted : 'close'
  const losses = refused === undefined ? [] : [`new connections may be lost: deferring them failed (${refused})`]
  await waitWhile(POLL_INTERVAL, times, () => leaver.isListening())
  const finished = await finish(listener, leaver, times)
  return close(leaving, { method, reason }, { ...finished, losses: [...losses, ...finished.losses] }, false)
}

/** From now on new connections get no answer from this listener. @returns why not. */
function defer(leaving: Leaving): string | undefined {
  const { listener, leaver } = leaving
  leaving.stopResetting ??= leaver.onAccepted((accepted) => listener.resetMinimumTtl(accepted))
  return listener.deferNewConnections()
}

/** In one turn, after which there is nothing left to abort. */
function close({ leaver, listener }: Leaving, way: Way, finished: Awaited, detach: boolean): Departure {
  const { awaited, losses, unfinished } = finished
  // Migration alone loses some connections (docs/benchmarks.md), so it serves only for what is unfinished.
  const isMoved = unfinished.length > 0 && way.method !== 'close' && migrates()
  const failure = listener.leave(detach)
  leaver.stopListening()
  return {
    method: isMoved ? 'migrate' : way.method,
    reason: isMoved
      ? [way.reason, `the kernel moved to other members: ${unfinished.join(', ')}`].filter(Boolean).join('; ')
      : way.reason,
    handshakesAwaited: awaited,
    losses: [
      ...losses,
      ...(isMoved ? [] : unfinished.map((what) => `${what} may be lost`)),
      ...(failure === undefined ? [] : [`the listener did not leave its group cleanly (${failure})`]),
    ],
  }
}

function isExpected(error: unknown): error is Error {
  return error instanceof ReusePortLockError || error instanceof ReusePortSteeringError
}

interface Awaited {
  readonly awaited: number
  readonly losses: readonly string[]
  /** What the server has not accepted. It is lost with the listener, unless the kernel moves it. */
  readonly unfinished: readonly string[]
}

/** Finishes what has begun by now. Later connections go to other members or get no answer. */
async function finish(listener: LeavingListener, leaver: Leaver, times: DepartureTimes): Promise<Awaited> {
  const begun = listener.handshakes()
  const seen = 'errno' in begun ? new Set<string>() : begun
  const open = await finishHandshakes(listener, seen, leaver, times)
  const waiting = await emptyQueue(listener, leaver, times)
  return {
    awaited: seen.size,
    losses: [
      ...('errno' in begun ? [`handshakes may be lost: the kernel did not list them (${textOf(begun)})`] : []),
      ...(typeof waiting === 'number'
        ? []
        : [`connections in the accept queue may be lost: the kernel did not count them (${textOf(waiting)})`]),
    ],
    unfinished: [
      ...(open > 0 ? [`${open} handshakes that the clients had not finished`] : []),
      ...(typeof waiting === 'number' && waiting > 0 ? [`${waiting} connections that were not yet accepted`] : []),
    ],
  }
}

/** @returns how many of the handshakes are still open when `handshakeTimeout` ends. */
async function finishHandshakes(
  listener: LeavingListener,
  begun: ReadonlySet<string>,
  leaver: Leaver,
  times: DepartureTimes,
): Promise<number> {
  let open = begun
  await waitWhile(open.size === 0 ? 0 : times.handshakeTimeout, times, () => {
    const now = listener.handshakes()
    if (!('errno' in now)) open = new Set([...open].filter((handshake) => now.has(handshake)))
    return open.size > 0 && leaver.isListening()
  })
  return open.size
}

/** Waits until the accept queue is empty. @returns how many connections are left in it when the time is over. */
async function emptyQueue(
  listener: LeavingListener,
  leaver: Leaver,
  times: DepartureTimes,
  timeout: number = ACCEPT_TIMEOUT,
): Promise<number | SystemFailure> {
  const deadline = new Deadline(timeout, times.signal)
  for (;;) {
    deadline.assertNotAborted()
    const waiting = listener.waiting()
    if (typeof waiting !== 'number' || waiting === 0 || !leaver.isListening() || deadline.left() === 0) return waiting
    await nextTurn()
  }
}

/** Waits while `condition` returns true, at most `ms`. Checks it now and every POLL_INTERVAL ms. */
async function waitWhile(ms: number, { signal }: DepartureTimes, condition: () => boolean): Promise<void> {
  const deadline = new Deadline(ms, signal)
  while (condition() && deadline.left() > 0) {
    deadline.assertNotAborted()
    await deadline.race(pause(Math.min(POLL_INTERVAL, deadline.left())))
  }
}
