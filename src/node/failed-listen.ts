// The last error of a call by which a server or dgram socket was to listen, for those who ask after it was emitted.
interface Failure {
  readonly error: unknown
  /** `_listeningId` of a server: each call of `listen` or `close` changes it. */
  readonly id: unknown
}

const failures = new WeakMap<object, Failure>()
/** Looking into an empty map takes longer than the rest of most calls. */
let hasFailed = false

const idOf = (target: object): unknown => Reflect.get(target, '_listeningId')

export interface FailedTarget {
  emit(event: 'error', error: unknown): unknown
}

/** Hears of each failure before its 'error'. @returns whether it calls `emit` itself, later. */
type Hearer = (target: FailedTarget, error: unknown, emit: () => void) => boolean

let hearer: Hearer | undefined

export function hearFailures(hear: Hearer): void {
  hearer = hear
}

/** Emits 'error', and remembers it. */
export function emitFailure(target: FailedTarget, error: unknown): void {
  failures.set(target, { error, id: idOf(target) })
  hasFailed = true
  const emit = (): void => void target.emit('error', error)
  if (hearer?.(target, error, emit) !== true) emit()
}

/** From now on another call is under way. */
export function forgetFailure(target: object): void {
  if (hasFailed) failures.delete(target)
}

const calls = new WeakMap<object, unknown>()

/** A call by which a server is to listen has begun, and is to go on later. */
export function rememberCall(target: object): void {
  calls.set(target, idOf(target))
}

/** Whether such a call has begun, and neither `close` nor another one has followed: an event 'close' is of an earlier life. */
export function isToListen(target: object): boolean {
  return calls.has(target) && calls.get(target) === idOf(target)
}

/** Undefined where the last call has not failed, or another has followed. */
export function failureOf(target: object): { readonly error: unknown } | undefined {
  const failure = failures.get(target)
  return failure?.id === idOf(target) ? failure : undefined
}
