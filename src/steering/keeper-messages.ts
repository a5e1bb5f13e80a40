// Pure: what a keeper and its followers write to each other: lines of JSON, each of which names the version of its writer.
import { parsePolicy } from './policy.js'
import type { Steering, SteeringPolicy } from './steering-types.js'

export const KEEPER_VERSION = 1

/** Characters of a line. A program of 4096 instructions takes 200,000. */
export const LONGEST_MESSAGE: number = 1 << 20

const LONGEST_REASON = 4096

/** A policy, and the time of the request on the clock that all processes share (ns, CLOCK_MONOTONIC). */
export interface Wish {
  readonly policy: SteeringPolicy
  readonly since: number
}

export type Answer = { readonly steering: Steering } | { readonly refused: string }

export type Message = Wish | Answer

export function formatMessage(message: Message): string {
  const cut = 'refused' in message ? { refused: message.refused.slice(0, LONGEST_REASON) } : message
  return `${JSON.stringify({ version: KEEPER_VERSION, ...cut })}\n`
}

/** @throws Error with the reason where the line is not a message that this version knows. */
export function parseMessage(line: string): Message {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) throw new TypeError('the message is not an object')
  const { policy, refused, since, steering } = value as { readonly [name: string]: unknown }
  if (policy !== undefined) {
    if (typeof since !== 'number' || !Number.isFinite(since)) throw new TypeError('since is not a number')
    return { policy: parsePolicy(policy), since }
  }
  if (typeof refused === 'string') return { refused: refused.slice(0, LONGEST_REASON) }
  return { steering: parseSteering(steering) }
}

const METHODS: readonly Steering['method'][] = ['hash', 'program', 'incoming-cpu']

function parseSteering(value: unknown): Steering {
  if (typeof value !== 'object' || value === null) throw new TypeError('the message has no known member')
  const { keeper, members, method, policy, reason } = value as { readonly [name: string]: unknown }
  const known = METHODS.find((one) => one === method)
  if (known === undefined) throw new TypeError('the method is unknown')
  if (!isCount(members) || !(keeper === undefined || isCount(keeper))) throw new TypeError('a number is out of bounds')
  if (!(reason === undefined || typeof reason === 'string')) throw new TypeError('the reason is not text')
  return { policy: parsePolicy(policy), method: known, members, keeper, reason: reason?.slice(0, LONGEST_REASON) }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
