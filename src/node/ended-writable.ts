import process from 'node:process'

interface Writable {
  write: unknown
  end: unknown
}

/**
 * What the program writes from now on is dropped, as if it were written: the program does not know of an end that is not
 * its own until 'close'. Without this its next `write` would be an error without a listener, which ends the process; an
 * http2 stream would keep its end back, too.
 */
export function dropWrites(writable: Writable): void {
  const drop = (args: readonly unknown[]): void => {
    const callback = args.find((argument) => typeof argument === 'function') as (() => void) | undefined
    if (callback !== undefined) process.nextTick(callback)
  }
  replace(writable, 'write', (...args: unknown[]) => {
    drop(args)
    return true
  })
  replace(writable, 'end', (...args: unknown[]) => {
    drop(args)
    return writable
  })
}

function replace(writable: Writable, name: keyof Writable, value: (...args: unknown[]) => unknown): void {
  Object.defineProperty(writable, name, { value, configurable: true, writable: true })
}
