import { type FSWatcher, readdirSync, watch } from 'node:fs'
import path from 'node:path'

/** ms in which changes are one. */
const GATHER = 150

/** Tells when a file below a folder changes: not in `node_modules`, nor where a name begins with a dot. */
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
    // A folder that has gone, or is none.
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
