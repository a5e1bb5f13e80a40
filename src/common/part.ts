// Parts of the library that most programs do not need at the start. Compiling them takes longer than all else at the import.
export interface Part<Module> {
  /** Calls `use` at once where the part is loaded, and otherwise once it is. */
  use<Result>(use: (part: Module) => Promise<Result>): Promise<Result>
}

let parts: (() => Promise<unknown>)[] = []

/** Taken before a program may replace it. */
const { setImmediate: afterThisTurn } = globalThis

/** @param load Imports the part. */
export function part<Module>(load: () => Promise<Module>): Part<Module> {
  let loaded: Module | undefined
  const get = async (): Promise<Module> => {
    loaded ??= await load()
    return loaded
  }
  parts.push(get)
  return {
    use: (use) => (loaded === undefined ? get().then(use) : use(loaded)),
  }
}

/**
 * Loads all parts in the background, from the next turn of the event loop on. A program that listens will drain, perhaps
 * after a deployment has replaced its files.
 */
export function loadParts(): void {
  if (parts.length === 0) return
  const all = parts
  parts = []
  afterThisTurn(() => {
    for (const get of all) get().catch(() => {})
  })
}
