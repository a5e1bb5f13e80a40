// What an emitter tells its listeners, heard without being one of them. A listener can change what an object does: the
// first one of 'request' makes an http2 server answer streams a second time, the first one of 'checkContinue' takes
// Node's answer away. A program can count listeners, and is warned when there are too many.

interface Emitter {
  emit(event: string, ...args: unknown[]): boolean
}

/** Is told of an event before the listeners. `'withheld'` keeps the event from them. */
export type Hear = (event: string, args: readonly unknown[]) => 'withheld' | undefined

interface Hook {
  readonly hears: Set<Hear>
  /** What the emitter calls. */
  readonly emit: unknown
  restore(): void
}

const hooks = new WeakMap<Emitter, Hook>()

/** @returns a function that ends this. With the last one the emitter is as it was before. */
export function hearEvents(emitter: Emitter, hear: Hear): () => void {
  const known = hooks.get(emitter)
  // A function of the program that covers the hook may be taken off, and the hook with it.
  const hook = known !== undefined && emitter.emit === known.emit ? known : install(emitter)
  hook.hears.add(hear)
  return () => {
    if (hook.hears.delete(hear) && hook.hears.size === 0) hook.restore()
  }
}

function install(emitter: Emitter): Hook {
  const { emit } = emitter
  const own = Object.getOwnPropertyDescriptor(emitter, 'emit')
  const hears = new Set<Hear>()
  function emitHeard(this: unknown, event: string, ...args: unknown[]): boolean {
    let isWithheld = false
    for (const hear of [...hears]) isWithheld = hear(event, args) === 'withheld' || isWithheld
    return isWithheld ? false : Reflect.apply(emit, emitter, [event, ...args])
  }
  Object.defineProperty(emitter, 'emit', { value: emitHeard, configurable: true, writable: true })
  const hook: Hook = {
    hears,
    emit: emitHeard,
    restore() {
      // The program may have put a function of its own over this one, which then stays below it and hears nothing.
      if (emitter.emit !== emitHeard) return
      if (hooks.get(emitter) === hook) hooks.delete(emitter)
      if (own === undefined) Reflect.deleteProperty(emitter, 'emit')
      else Object.defineProperty(emitter, 'emit', own)
    },
  }
  hooks.set(emitter, hook)
  return hook
}
