// Pure: the part of `AbortSignal` that the library uses.
import { InvalidArgumentTypeError } from './errors.js'

/** Declared here because the published types must not need the DOM library or Node's types. */
export interface AbortSignalLike {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** @internal @throws InvalidArgumentTypeError */
export function toSignal(signal: unknown): AbortSignalLike | undefined {
  if (signal === undefined || (typeof signal === 'object' && signal !== null && 'aborted' in signal)) {
    return signal as AbortSignalLike | undefined
  }
  throw new InvalidArgumentTypeError('options.signal', 'an instance of AbortSignal', signal)
}
