// How a listener leaves its group: steps 1 to 5 of a drain.

import type { AbortSignalLike } from '../common/abort-signal.js'
import { ReusePortSteeringError, type SystemFailure } from '../common/errors.js'
import { Deadline, nextTurn, pause } from '../common/waiting.js'
import { ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import { type GroupLock, lockGroup } from '../group/lock.js'
import type { Member } from '../group/member.js'
import { tellKeeper } from '../steering/keeper-channel.js'
import type { DrainMethod } from './drain-types.js'
import { LeavingListener, textOf } from './leaving-listener.js'
import { migrates } from './migration.js'

export interface DepartureTimes {
  readonly grace: number
  readonly handshakeTimeout: number
  readonly lockTimeout: number
  readonly signal: AbortSignalLike | undefined
}

/** The server that leaves. */
export interface Leaver {
  /** False where somebody has closed it meanwhile. */
  isListening(): boolean
  /** New connections go elsewhere from now on. */
  onSteered(): void
  /** Tells the descriptor of each connection that is accepted from now on. @returns what ends that. */
  onAccepted(tell: (fd: number) => void): () => void
  /** Closes the listener, in the same turn. */
  stopListening(): void
}

export interface Departure {
  readonly method: DrainMethod
  readonly handshakesAwaited: number
  /** What may have been lost, each a sentence. */
  readonly losses: readonly string[]
  /** Why it was not done by steering. */
  readonly reason: string | undefined
}

/** ms between two looks at what is waited for. */
const GLANCE = 10

/** ms for a server to accept what waits in its queue. */
const ACCEPT_TIMEOUT = 2000

/**
 * @throws the reason of the signal; ReusePortSteeringError where nothing can be done but close. The server then listens
 *   and is a member as before.
 */
export async function depart(member: Member, leaver: Leaver, times: DepartureTimes): Promise<Departure> {
  const listener = new LeavingListener(member)
  let lock: GroupLock | undefined
  try {
    const locked = await tryToLock(listener, times)
    lock = locked.lock
    const way = locked.lock === undefined ? otherwise(locked.reason) : choose(listener)
    return await leave(listener, leaver, times, way)
  } finally {
    listener.end()
    lock?.end()
    if (lock !== undefined) tellKeeper(member.addon, member.socket)
  }
}

type Locked = { readonly lock: GroupLock } | { readonly lock: undefined; readonly reason: string }

async function tryToLock({ member }: LeavingListener, times: DepartureTimes): Promise<Locked> {
  try {
    return { lock: await lockGroup(member.addon, member.socket, new Deadline(times.lockTimeout, times.signal)) }
  } catch (error) {
    if (!(error instanceof ReusePortLockError || error instanceof ReusePortSteeringError)) throw error
    return { lock: undefined, reason: error.message }
  }
}

interface Way {
  readonly method: DrainMethod
  readonly reason: string | undefined
}

function choose(listener: LeavingListener): Way {
  try {
    if (listener.steerAway()) return { method: 'steer', reason: undefined }
    return { method: 'close', reason: 'there is no other member to steer to' }
  } catch (error) {
    if (!(error instanceof ReusePortSteeringError || error instanceof ReusePortInspectionError)) throw error
    return otherwise(error.message)
  }
}

function otherwise(reason: string): Way {
  return { method: 'defer', reason }
}

async function leave(listener: LeavingListener, leaver: Leaver, times: DepartureTimes, way: Way): Promise<Departure> {
  leaver.onSteered()
  const finished =
    way.method === 'steer'
      ? await finishSteered(listener, leaver, times)
      : await finishDeferred(listener, leaver, times, way.method)
  const { awaited, losses, unfinished } = finished
  // By itself it loses some (docs/benchmarks.md), so it is for what is left.
  const isMoved = unfinished.length > 0 && finished.method !== 'close' && migrates()
  // In one turn, after which there is nothing left to abort.
  const failure = listener.leave()
  leaver.stopListening()
  return {
    method: isMoved ? 'migrate' : finished.method,
    reason: isMoved
      ? [way.reason, `moved to other members: ${unfinished.join(', ')}`].filter(Boolean).join('; ')
      : way.reason,
    handshakesAwaited: awaited,
    losses: [
      ...losses,
      ...(isMoved ? [] : unfinished),
      ...(failure === undefined ? [] : [`the group was not put right (${failure})`]),
    ],
  }
}

interface Awaited {
  readonly awaited: number
  readonly losses: readonly string[]
  /** What the server has not accepted: lost with the listener, unless the kernel moves it. */
  readonly unfinished: readonly string[]
}

type Finished = Awaited & { readonly method: DrainMethod }

/** How often a drain begins anew because members have gone meanwhile. */
const ATTEMPTS = 5

/** What was begun before new connections went to others. */
async function finishSteered(listener: LeavingListener, leaver: Leaver, times: DepartureTimes): Promise<Finished> {
  let total = 0
  for (let attempt = 1; ; attempt++) {
    await waitWhile(times.grace, times, () => leaver.isListening())
    const { awaited, losses, unfinished } = await finish(listener, leaver, times)
    total += awaited
    // A member that went may have moved this one to another slot, where new connections reach it.
    if (!listener.hasGroupChanged() || attempt === ATTEMPTS || !leaver.isListening()) {
      return { method: 'steer', awaited: total, losses, unfinished }
    }
    const again = choose(listener)
    if (again.method !== 'steer') {
      const finished = await finishDeferred(listener, leaver, times, again.method)
      return { ...finished, awaited: total + finished.awaited }
    }
  }
}

/** What was begun before, while nobody new is answered. */
async function finishDeferred(
  listener: LeavingListener,
  leaver: Leaver,
  times: DepartureTimes,
  wanted: DrainMethod,
): Promise<Finished> {
  const stopHearing = leaver.onAccepted((accepted) => listener.hear(accepted))
  const refused = listener.deferNewConnections()
  const method = refused !== undefined && wanted === 'defer' ? 'close' : wanted
  const losses = refused === undefined ? [] : [`new connections could not be held back (${refused})`]
  try {
    await waitWhile(GLANCE, times, () => leaver.isListening())
    const { awaited, losses: others, unfinished } = await finish(listener, leaver, times)
    return { method, awaited, losses: [...losses, ...others], unfinished }
  } finally {
    stopHearing()
  }
}

/** What has begun by now; what is new belongs to others, or gets no answer. */
async function finish(listener: LeavingListener, leaver: Leaver, times: DepartureTimes): Promise<Awaited> {
  const begun = listener.handshakes()
  const seen = 'errno' in begun ? new Set<string>() : begun
  const open = await finishHandshakes(listener, seen, leaver, times)
  const waiting = await emptyQueue(listener, leaver, times)
  return {
    awaited: seen.size,
    losses: [
      ...('errno' in begun ? [`handshakes that had begun could not be looked at (${textOf(begun)})`] : []),
      ...(typeof waiting === 'number' ? [] : [`its queue could not be looked at (${textOf(waiting)})`]),
    ],
    unfinished: [
      ...(open > 0 ? [`${open} handshakes that their clients had not finished`] : []),
      ...(typeof waiting === 'number' && waiting > 0 ? [`${waiting} connections that were not accepted`] : []),
    ],
  }
}

/** @returns how many are open at the end of the time. */
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

/** Until the server has accepted all that waits. @returns how many wait at the end of the time. */
async function emptyQueue(
  listener: LeavingListener,
  leaver: Leaver,
  times: DepartureTimes,
): Promise<number | SystemFailure> {
  const deadline = new Deadline(ACCEPT_TIMEOUT, times.signal)
  for (;;) {
    deadline.assertNotAborted()
    const waiting = listener.waiting()
    if (typeof waiting !== 'number' || waiting === 0 || !leaver.isListening() || deadline.left() === 0) return waiting
    await nextTurn()
  }
}

/** Waits as long as `go` says so, for at most this long; looks now and every few milliseconds. */
async function waitWhile(ms: number, { signal }: DepartureTimes, go: () => boolean): Promise<void> {
  const deadline = new Deadline(ms, signal)
  while (go() && deadline.left() > 0) {
    deadline.assertNotAborted()
    await deadline.race(pause(Math.min(GLANCE, deadline.left())))
  }
}
