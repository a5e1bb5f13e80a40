import { type FSWatcher, readdirSync, watch } from 'node:fs'
import path from 'node:path'

/** ms without a change before `onChange` is called: changes in quick succession count as one. */
const GATHER = 150

/** Calls `onChange` when a file below a folder changes. Names with a leading dot and `node_modules` are ignored. */
export class Watch {
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #onChange: () => void
  readonly #onError: (error: Error) => void
  #timer: NodeJS.Timeout | undefined

  constructor(folder: string, onChange: () => void, onError: (error: Error) => void) {
    this.#onChange = onChange
    this.#onError = onError
    this.#add(folder)
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #add(folder: string): void {
    if (this.#watchers.has(folder)) return
    try {
      const watcher = watch(folder, (_event, name) => this.#hear(folder, name))
      watcher.on('error', (error) => this.#forget(folder, error))
      this.#watchers.set(folder, watcher)
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && !isIgnored(entry.name)) this.#add(path.join(folder, entry.name))
      }
    } catch (error) {
      this.#forget(folder, error as NodeJS.ErrnoException)
    }
  }

  #forget(folder: string, error: NodeJS.ErrnoException): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
    // The folder has been deleted, or the path is not a folder.
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR' && error.code !== 'EPERM') this.#onError(error)
  }

  #hear(folder: string, name: string | null): void {
    if (name === null || isIgnored(name)) return
    this.#add(path.join(folder, name))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#onChange, GATHER)
  }
}

function isIgnored(name: string): boolean {
  return name === 'node_modules' || name.startsWith('.')
}
