// How a listener leaves its group: steps 1 to 4 of a drain (docs/api.md).

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

/** The server that leaves its group. */
export interface Leaver {
  /** False where the program has closed the server in the meantime. */
  isListening(): boolean
  /** Called when the drain turns new connections away from this listener. */
  onSteered(): void
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

/** ms for the server to accept the connections in its accept queue. */
const ACCEPT_TIMEOUT = 2000

/**
 * @throws the signal's reason; ReusePortSteeringError or ReusePortInspectionError where the caller can only close the
 *   listener. After a throw the server still listens and is a member as before.
 */
export async function depart(member: Member, leaver: Leaver, times: DepartureTimes): Promise<Departure> {
  const listener = new LeavingListener(member)
  let lock: GroupLock | undefined
  try {
    const locked = await tryToLock(listener, times)
    lock = locked.lock
    const way = locked.lock === undefined ? deferBecause(locked.reason) : choose(listener)
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
    return { method: 'close', reason: 'the group has no other member to steer to' }
  } catch (error) {
    if (!(error instanceof ReusePortSteeringError || error instanceof ReusePortInspectionError)) throw error
    return deferBecause(error.message)
  }
}

function deferBecause(reason: string): Way {
  return { method: 'defer', reason }
}

async function leave(listener: LeavingListener, leaver: Leaver, times: DepartureTimes, way: Way): Promise<Departure> {
  leaver.onSteered()
  const finished =
    way.method === 'steer'
      ? await finishSteered(listener, leaver, times)
      : await finishDeferred(listener, leaver, times, way.method)
  const { awaited, losses, unfinished } = finished
  // Migration alone loses some connections (docs/benchmarks.md), so it serves only for what is unfinished.
  const isMoved = unfinished.length > 0 && finished.method !== 'close' && migrates()
  // These two run in one turn, and afterwards there is nothing left to abort.
  const failure = listener.leave()
  leaver.stopListening()
  return {
    method: isMoved ? 'migrate' : finished.method,
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

interface Awaited {
  readonly awaited: number
  readonly losses: readonly string[]
  /** What the server has not accepted. It is lost with the listener, unless the kernel moves it. */
  readonly unfinished: readonly string[]
}

type Finished = Awaited & { readonly method: DrainMethod }

/** How many rounds a drain makes at most: a member that leaves in the meantime causes another round. */
const ATTEMPTS = 5

/** Finishes what clients had begun before new connections went to other members. */
async function finishSteered(listener: LeavingListener, leaver: Leaver, times: DepartureTimes): Promise<Finished> {
  let total = 0
  for (let attempt = 1; ; attempt++) {
    await waitWhile(times.grace, times, () => leaver.isListening())
    const { awaited, losses, unfinished } = await finish(listener, leaver, times)
    total += awaited
    // When a member leaves, the last member takes its slot. If that was this one, new connections reach it again.
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

/** Finishes what clients had begun before, while new connections get no answer. */
async function finishDeferred(
  listener: LeavingListener,
  leaver: Leaver,
  times: DepartureTimes,
  wanted: DrainMethod,
): Promise<Finished> {
  const stopResetting = leaver.onAccepted((accepted) => listener.resetMinimumTtl(accepted))
  const refused = listener.deferNewConnections()
  const method = refused !== undefined && wanted === 'defer' ? 'close' : wanted
  const losses = refused === undefined ? [] : [`new connections may be lost: deferring them failed (${refused})`]
  try {
    await waitWhile(POLL_INTERVAL, times, () => leaver.isListening())
    const { awaited, losses: others, unfinished } = await finish(listener, leaver, times)
    return { method, awaited, losses: [...losses, ...others], unfinished }
  } finally {
    stopResetting()
  }
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

/** Waits until the accept queue is empty. @returns how many connections are left in it after ACCEPT_TIMEOUT. */
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

/** Waits while `condition` returns true, at most `ms`. Checks it now and every POLL_INTERVAL ms. */
async function waitWhile(ms: number, { signal }: DepartureTimes, condition: () => boolean): Promise<void> {
  const deadline = new Deadline(ms, signal)
  while (condition() && deadline.left() > 0) {
    deadline.assertNotAborted()
    await deadline.race(pause(Math.min(POLL_INTERVAL, deadline.left())))
  }
}
