// Pure: what the leader of a departure and the listeners that it leads write to each other: lines of JSON.

export const LEADER_VERSION = 1

/** Characters of a line, without its end. */
export const LONGEST_MESSAGE = 4096

/** What a listener says first, together with its descriptor. */
export interface Joining {
  readonly type: 'join'
  /** ms in which it finishes what has begun, at most. */
  readonly patience: number
}

export type FromListener =
  | Joining
  /** What had begun is finished, and new connections get no answer: it can leave. */
  | { readonly type: 'ready' }

export type FromLeader =
  /** New connections go to members that stay. Also once more, where the group has changed. */
  | { readonly type: 'steered' }
  /** The leader cannot steer: the listener leaves by itself. */
  | { readonly type: 'alone'; readonly method: 'close' | 'defer'; readonly reason: string }
  /** All are ready: it leaves now, `detach`: after it has detached the program. The end of the connection says that it has. */
  | { readonly type: 'leave'; readonly detach: boolean }

/** Characters. JSON takes 6 for one at most, so that a line has room for all. */
const LONGEST_REASON = 512

/** The most that a listener may claim for itself. */
export const LONGEST_PATIENCE = 600_000

export function formatMessage(message: FromListener | FromLeader): string {
  const cut = 'reason' in message ? { ...message, reason: message.reason.slice(0, LONGEST_REASON) } : message
  return `${JSON.stringify({ version: LEADER_VERSION, ...cut })}\n`
}

/** @throws Error with the reason where the line is not such a message. */
export function parseFromListener(line: string): FromListener {
  const { patience, type } = parse(line)
  if (type === 'ready') return { type }
  if (type !== 'join') throw new TypeError('the type is unknown')
  if (typeof patience === 'number' && patience >= 0 && patience <= LONGEST_PATIENCE) return { type, patience }
  throw new TypeError('patience is not a time')
}

/** @throws Error with the reason where the line is not such a message. */
export function parseFromLeader(line: string): FromLeader {
  const { detach, method, reason, type } = parse(line)
  if (type === 'steered') return { type }
  if (type === 'leave') return { type, detach: detach === true }
  if (type !== 'alone') throw new TypeError('the type is unknown')
  if ((method !== 'close' && method !== 'defer') || typeof reason !== 'string') throw new TypeError('no way is named')
  return { type, method, reason: reason.slice(0, LONGEST_REASON) }
}

function parse(line: string): { readonly [name: string]: unknown } {
  const value: unknown = JSON.parse(line)
  if (typeof value === 'object' && value !== null) return value as { readonly [name: string]: unknown }
  throw new TypeError('the message is not an object')
}
