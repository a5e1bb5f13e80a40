import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs'
import path from 'node:path'
import type { Ignored } from './watch-ignore.js'

export interface WatchListeners {
  /** @param file From the watched folder, with `/`. */
  onChange(file: string): void
  /** A folder cannot be watched. */
  onError(error: Error): void
  /** The system has no watches left: these folders and everything below them are not watched. Called once. */
  onFull(folders: readonly string[], error: NodeJS.ErrnoException): void
}

interface Watched {
  readonly watcher: FSWatcher
  readonly identity: string | undefined
}

/** The folder or its parent has been deleted, or the path is not a folder. */
const GONE = ['ENOENT', 'ENOTDIR', 'EPERM']
/** inotify_add_watch(2), inotify_init(2) */
const FULL = ['ENOSPC', 'EMFILE', 'ENFILE']

/** Tells which files below a folder change. Links below the folder are not followed. */
export class Watch {
  readonly #root: string
  readonly #isIgnored: Ignored
  readonly #listeners: WatchListeners
  readonly #watched = new Map<string, Watched>()
  #wasFull = false

  constructor(root: string, isIgnored: Ignored, listeners: WatchListeners) {
    this.#root = root
    this.#isIgnored = isIgnored
    this.#listeners = listeners
    this.#add('')
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close()
    this.#watched.clear()
  }

  /** Upper folders come first: where watches run out, those matter most. */
  #add(top: string): void {
    const waiting = [top]
    for (const [index, folder] of waiting.entries()) {
      try {
        for (const below of this.#watch(folder)) waiting.push(below)
      } catch (error) {
        const failure = error as NodeJS.ErrnoException
        this.#fail(folder, failure)
        if (!isOneOf(failure, FULL)) continue
        if (!this.#wasFull) this.#listeners.onFull(waiting.slice(index), failure)
        this.#wasFull = true
        return
      }
    }
  }

  /** @returns the folders directly below. @throws NodeJS.ErrnoException */
  #watch(folder: string): readonly string[] {
    if (this.#watched.has(folder)) return []
    const at = path.join(this.#root, folder)
    const watcher = watch(at, (_event, name) => name !== null && this.#hear(join(folder, name)))
    watcher.on('error', (error) => this.#fail(folder, error))
    this.#watched.set(folder, { watcher, identity: identityOf(at) })
    return readdirSync(at, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(folder, name))
      .filter((one) => !this.#isIgnored(one))
  }

  #fail(folder: string, error: NodeJS.ErrnoException): void {
    this.#forget(folder)
    if (!isOneOf(error, GONE) && !isOneOf(error, FULL)) this.#listeners.onError(error)
  }

  #forget(folder: string): void {
    this.#watched.get(folder)?.watcher.close()
    this.#watched.delete(folder)
  }

  #hear(file: string): void {
    if (this.#isIgnored(file)) return
    const identity = identityOf(path.join(this.#root, file))
    // A folder that was deleted and created again has lost its watch, and so have those below it.
    if (this.#watched.has(file) && this.#watched.get(file)?.identity !== identity) {
      for (const folder of this.#watched.keys()) {
        if (folder === file || folder.startsWith(`${file}/`)) this.#forget(folder)
      }
    }
    if (identity !== undefined) this.#add(file)
    this.#listeners.onChange(file)
  }
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`
}

function isOneOf({ code }: NodeJS.ErrnoException, codes: readonly string[]): boolean {
  return code !== undefined && codes.includes(code)
}

/** What tells a folder from a later one with the same path; undefined where there is no folder. */
function identityOf(at: string): string | undefined {
  const found = lstatSync(at, { throwIfNoEntry: false })
  return found?.isDirectory() ? `${found.ino} ${found.birthtimeMs}` : undefined
}
