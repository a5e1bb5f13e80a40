// Pure: checks what a worker's process, its threads and its cluster workers send each other. The program can send anything
// over the same channels.

import { place } from '../supervisor/messages.js'
import type { Place } from '../supervisor/protocol.js'
import type { DrainTimes } from './drain-times.js'

export type NestedMessage =
  | { readonly type: 'leave'; readonly to: readonly number[]; readonly times: DrainTimes }
  | { readonly type: 'left'; readonly thread: number }
  | { readonly type: 'listening'; readonly thread: number; readonly place: Place }

const LONGEST_TIME = 0x7fffffff

/** The most threads that one order names. */
const MOST = 4096

/** @returns undefined where the value is not a message between threads. */
export function toNestedMessage(value: unknown): NestedMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { place: where, thread, times, to, type } = value as { readonly [name: string]: unknown }
  if (type === 'leave') {
    const [threads, drainTimes] = [toThreads(to), toDrainTimes(times)]
    return threads && drainTimes ? { type, to: threads, times: drainTimes } : undefined
  }
  if (!isCount(thread)) return undefined
  if (type === 'left') return { type, thread }
  return type === 'listening' && isPlace(where) ? { type, thread, place: place(where) } : undefined
}

/** Of the order to leave that a cluster worker gets. @returns undefined where the value is not such an order. */
export function toClusterOrder(value: unknown): DrainTimes | undefined {
  return typeof value === 'object' && value !== null && 'leave' in value ? toDrainTimes(value.leave) : undefined
}

function toThreads(value: unknown): readonly number[] | undefined {
  if (!Array.isArray(value) || value.length > MOST) return undefined
  // A structured clone may have holes, which `every` skips; the copy has undefined instead.
  const threads: readonly unknown[] = [...value]
  return threads.every(isCount) ? threads : undefined
}

function toDrainTimes(value: unknown): DrainTimes | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { drainTimeout, grace } = value as { readonly [name: string]: unknown }
  return isTime(drainTimeout) && isTime(grace) ? { drainTimeout, grace } : undefined
}

function isPlace(value: unknown): boolean {
  try {
    place(value)
    return true
  } catch {
    return false
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_TIME
}

function isCount(value: unknown): value is number {
  return isTime(value) && Number.isInteger(value)
}
