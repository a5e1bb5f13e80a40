// Node's compile cache (`module.enableCompileCache`), which the workers of one supervisor share: a folder beside its control
// socket, gone when it ends. Whoever can write there has code run by the next worker, so the folder is not used where
// another user could put one in its place.
import { lstatSync, mkdirSync, opendirSync, realpathSync, rmSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import module from 'node:module'
import net from 'node:net'
import path from 'node:path'
import { type CacheFile, surplus } from './compile-cache-size.js'
import { RuntimeFolder } from './runtime-folder.js'

/** Bytes. Each release that is deployed to a folder of its own has its own files. */
const MOST = 64 << 20

/** With a leading dot: `watch` of a folder above it leaves it out. */
const NAME = /^\.(\d{1,10}\.[0-9a-f]{16})\.cache$/

/** @internal */
export class CompileCache {
  readonly #runtime: RuntimeFolder
  readonly #name: string
  #folder: string | undefined
  #isPruning = false

  /** @param socket The name of the control socket. It exists for as long as the cache does. */
  constructor(runtime: RuntimeFolder, socket: string) {
    this.#runtime = runtime
    this.#name = `.${path.basename(socket, '.sock')}.cache`
  }

  /**
   * The folder for a worker that starts. The worker of slot 0 fills an empty one: several at once would all write the same.
   *
   * @returns undefined where the worker has to do without.
   */
  folderFor(slot: number): string | undefined {
    if (!('enableCompileCache' in module)) return undefined
    try {
      const runtime = realpathSync(this.#runtime.path)
      if (!(this.#runtime.isAt(runtime) && isSafe(path.dirname(runtime), this.#runtime.uid))) return undefined
      const folder = path.join(runtime, this.#name)
      if (this.#folder === undefined) {
        mkdirSync(folder, { mode: 0o700 })
        void removeLeft(this.#runtime).catch(() => {})
      }
      this.#folder = folder
      if (slot === 0) void this.#prune(folder)
      return slot === 0 || !isEmpty(folder) ? folder : undefined
    } catch {
      // Somebody has removed it, or the disk is full.
      return undefined
    }
  }

  async #prune(folder: string): Promise<void> {
    if (this.#isPruning) return
    this.#isPruning = true
    try {
      const names = await readdir(folder, { recursive: true })
      const found = await Promise.all(names.map((name) => fileAt(path.join(folder, name))))
      for (const name of surplus(found.flat(), MOST)) await rm(name, { force: true })
    } catch {
      // A worker has renamed a file in the meantime; the next one that starts has another try.
    }
    this.#isPruning = false
  }

  remove(): void {
    if (this.#folder === undefined) return
    try {
      // By the descriptor of the folder above it, whatever its name leads to by now.
      rmSync(this.#runtime.fileIn(this.#name), { recursive: true, force: true, maxRetries: 1 })
    } catch {
      // A process that the supervisor does not know still writes there. The next supervisor removes it.
    }
  }
}

async function fileAt(name: string): Promise<readonly CacheFile[]> {
  const found = await stat(name)
  return found.isFile() ? [{ name, size: found.size, mtimeMs: found.mtimeMs }] : []
}

/** Whether nobody but root and this user can give the path another meaning. path_resolution(7), inode(7): the sticky bit */
function isSafe(folder: string, uid: number): boolean {
  const { mode, uid: owner } = lstatSync(folder)
  const isShared = (mode & 0o022) !== 0 && (mode & 0o1000) === 0
  if (isShared || (owner !== 0 && owner !== uid)) return false
  const above = path.dirname(folder)
  return above === folder || isSafe(above, uid)
}

/** Node makes a folder in it for each version and each set of V8's options. */
function isEmpty(folder: string): boolean {
  const entries = opendirSync(folder)
  try {
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      if (!entry.isDirectory() || !isEmpty(path.join(folder, entry.name))) return false
    }
    return true
  } finally {
    entries.closeSync()
  }
}

/** Removes the caches of supervisors that were killed: nobody answers at their sockets. */
async function removeLeft({ path: own, uid }: RuntimeFolder): Promise<void> {
  const runtime = RuntimeFolder.open(own, uid)
  try {
    for (const name of runtime.names()) {
      const [, supervisor] = NAME.exec(name) ?? []
      if (supervisor !== undefined && (await isUnanswered(runtime.fileIn(`${supervisor}.sock`))))
        await rm(runtime.fileIn(name), { recursive: true, force: true })
    }
  } finally {
    runtime.close()
  }
}

function isUnanswered(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = net.connect(socket, () => {
      connection.destroy()
      resolve(false)
    })
    connection.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED' || code === 'ENOENT'))
  })
}
