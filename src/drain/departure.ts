// How a listener leaves its group: steps 1 to 4 of a drain (docs/api.md).

import process from 'node:process'
import { countWere } from '../common/count.js'
import { ReusePortSteeringError } from '../common/errors.js'
import { Deadline, nextTurn, pause } from '../common/waiting.js'
import { ReusePortLockError } from '../group/group-errors.js'
import type { Member } from '../group/member.js'
import { type Departing, joinDeparture } from './departing.js'
import type { DrainMethod } from './drain-types.js'
import { type Awaited, emptyQueue, finish, POLL_INTERVAL, unfinishedOf, waitWhile } from './finishing.js'
import type { FromLeader } from './leader-messages.js'
import type { DepartureTimes, Leaver } from './leaver.js'
import { LeavingListener, type ListeningSocket } from './leaving-listener.js'
import { migrates } from './migration.js'
import { longestBeginning, longestCompany, longestFinish } from './times.js'

export interface Departure {
  readonly method: DrainMethod
  readonly handshakesAwaited: number
  /** What may have been lost, a sentence for each loss. */
  readonly losses: readonly string[]
  /** Why `method` is not 'steer'. */
  readonly reason: string | undefined
}

/**
 * @throws the signal's reason; ReusePortInspectionError where the group cannot be read. After a throw the server still
 *   listens and is a member as before.
 */
export function depart(member: Member, leaver: Leaver, times: DepartureTimes): Promise<Departure> {
  return leaveBy(member, leaver, times, (leaving) => {
    const { duplicationFailure, fd } = leaving.listener
    if (duplicationFailure !== undefined) return leaveAlone(leaving, 'defer', duplicationFailure)
    return leaveWithOthers(leaving, { ...member, fd })
  })
}

/**
 * As `depart`, where the group is not known: deferring new connections needs neither that nor a free descriptor.
 *
 * @param reason Why the group is not known. @throws the signal's reason.
 */
export function departAlone(
  socket: ListeningSocket,
  leaver: Leaver,
  times: DepartureTimes,
  reason: string,
): Promise<Departure> {
  return leaveBy(socket, leaver, times, (leaving) => leaveAlone(leaving, 'defer', reason))
}

async function leaveBy(
  socket: ListeningSocket,
  leaver: Leaver,
  times: DepartureTimes,
  way: (leaving: Leaving) => Promise<Departure>,
): Promise<Departure> {
  const listener = new LeavingListener(socket, () => leaver.isListening())
  const leaving: Leaving = { listener, leaver, times, awaited: 0, stopResetting: undefined }
  leaver.onLeaving()
  try {
    return await way(leaving)
  } finally {
    leaving.stopResetting?.()
    listener.end()
  }
}

/** What one listener needs until it has left. */
interface Leaving {
  readonly listener: LeavingListener
  readonly leaver: Leaver
  readonly times: DepartureTimes
  /** Handshakes that were waited for until now. */
  awaited: number
  /** Set while new connections are deferred. */
  stopResetting: (() => void) | undefined
}

/** Joins the departure that is led for the group, and follows its leader; where that ends first, the next one. */
async function leaveWithOthers(leaving: Leaving, member: Member): Promise<Departure> {
  const { times } = leaving
  const deadline = new Deadline(longestBeginning(times), times.signal)
  for (;;) {
    let departing: Departing
    try {
      departing = await joinDeparture(member, times.lockTimeout, longestFinish(times), deadline)
    } catch (error) {
      if (!isExpected(error)) throw error
      return leaveAlone(leaving, 'defer', error.message)
    }
    const outcome = await followLeader(leaving, departing, deadline)
    if (outcome === 'gone') await pause(POLL_INTERVAL)
    else if ('losses' in outcome) return outcome
    else return leaveAlone(leaving, outcome.method, outcome.reason)
  }
}

type Alone = FromLeader & { readonly type: 'alone' }

/** @returns `'gone'` where the leader has ended; what it was told where it has to leave by itself. */
async function followLeader(
  leaving: Leaving,
  departing: Departing,
  deadline: Deadline,
): Promise<Departure | Alone | 'gone'> {
  const { listener, leaver, times } = leaving
  const total = new Deadline(longestCompany(times), times.signal)
  let finished: Awaited | undefined
  let hasDetached = false
  try {
    for (;;) {
      const limit = finished === undefined ? deadline : total
      const order = await limit.race(departing.next())
      if (order === 'gone') return order
      if (order === 'late') {
        const reason = `process ${process.pid} waited ${limit.total} ms for drains of other processes to end`
        return { type: 'alone', method: 'defer', reason }
      }
      if (order.type === 'alone') return order
      if (order.type === 'leave' && finished !== undefined) {
        // What came since, if anything did: the leader waits a moment.
        const waiting = await emptyQueue(listener, leaver, times, LAST_LOOK)
        await nextTurn()
        // A leader that waits no longer has put the group right itself.
        if (departing.isGone()) return 'gone'
        hasDetached = order.detach
        return close(
          leaving,
          { method: 'steer', reason: undefined },
          { ...finished, waiting: typeof waiting === 'number' ? waiting : finished.waiting },
          order.detach,
        )
      }
      await waitWhile(times.grace, times, () => leaver.isListening())
      finished = await finish(listener, leaver, times)
      leaving.awaited += finished.awaited
      defer(leaving)
      departing.ready()
    }
  } finally {
    await departing.end(hasDetached)
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
  leaving.awaited += finished.awaited
  return close(leaving, { method, reason }, { ...finished, losses: [...losses, ...finished.losses] }, false)
}

/** From now on new connections get no answer from this listener. @returns why not. */
function defer(leaving: Leaving): string | undefined {
  const { listener, leaver } = leaving
  leaving.stopResetting ??= leaver.onAccepted((accepted) => listener.resetMinimumTtl(accepted))
  return listener.deferNewConnections()
}

/** In one turn, after which there is nothing left to abort. */
function close({ awaited, leaver, listener }: Leaving, way: Way, finished: Awaited, detach: boolean): Departure {
  const { losses } = finished
  const unfinished = unfinishedOf(finished)
  const shed = leaver.waitingBefore - leaver.accepted() - finished.waiting
  // Migration alone loses some connections (docs/benchmarks.md), so it serves only for what is unfinished.
  const isMoved = unfinished.length > 0 && way.method !== 'close' && migrates()
  const failure = listener.leave(detach)
  listener.end()
  leaver.stopListening()
  return {
    method: isMoved ? 'migrate' : way.method,
    reason: isMoved
      ? [way.reason, `the kernel moved to other members: ${unfinished.join(', ')}`].filter(Boolean).join('; ')
      : way.reason,
    handshakesAwaited: awaited,
    losses: [
      ...(shed > 0 ? [shedOf(shed)] : []),
      ...losses,
      ...(isMoved ? [] : unfinished.map((what) => `${what} may be lost`)),
      ...(failure === undefined ? [] : [`the listener did not leave its group cleanly (${failure})`]),
    ],
  }
}

/** libuv closes what waits in the queue where it has no free descriptor (`uv__emfile_trick`), and tells nobody. */
function shedOf(count: number): string {
  return `${countWere(count, 'connection', 'that ')} in the accept queue got lost: Node closes what waits while no descriptor is free`
}

function isExpected(error: unknown): error is Error {
  return error instanceof ReusePortLockError || error instanceof ReusePortSteeringError
}
