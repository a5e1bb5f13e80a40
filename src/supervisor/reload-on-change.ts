// The option `watch`: reloads when a file changes, unless the program itself has written it.
import type { EventEmitter } from 'node:events'
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { Changes } from './changes.js'
import type { SupervisorEvents, WorkerInfo } from './events.js'
import { filesInWriting } from './files-in-writing.js'
import type { Settings } from './options.js'
import { Watch } from './watch.js'
import { toIgnored } from './watch-ignore.js'

/** The most folders that a warning names. */
const NAMED = 3

/** The part of a supervisor that is needed here. */
interface Reloaded extends EventEmitter<SupervisorEvents> {
  readonly state: string
  readonly workers: readonly WorkerInfo[]
  reload(): Promise<void>
}

/** @internal */
export class ReloadOnChange {
  readonly #supervisor: Reloaded
  readonly #folder: string
  readonly #changes = new Changes()
  readonly #watch: Watch
  readonly #named = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #isReloading = false

  constructor(supervisor: Reloaded, { cwd, watchIgnore }: Pick<Settings, 'cwd' | 'watchIgnore'>) {
    this.#supervisor = supervisor
    this.#folder = toRealPath(cwd)
    for (const name of ['worker:start', 'worker:ready'] as const) supervisor.on(name, () => this.#look())
    supervisor.on('worker:exit', () => {
      // No event has told that the worker leaves.
      this.#changes.busy(true, performance.now())
      this.#look()
    })
    const settled = (): void => {
      this.#look()
      this.#wait()
    }
    // The state of the supervisor changes right after the event.
    for (const name of ['running', 'reload:done', 'reload:failed'] as const)
      supervisor.on(name, () => queueMicrotask(settled))
    this.#changes.busy(true, performance.now())
    this.#watch = new Watch(cwd, toIgnored(watchIgnore, cwd), {
      onChange: (file) => this.#hear(file),
      onError: ({ message }) => this.#warn(`the option 'watch' skips a folder: ${message}`),
      onFull: (folders, error) => this.#warn(full(cwd, folders, error)),
    })
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#watch.close()
  }

  /** Looks whether a worker starts or leaves. */
  #look(): void {
    const { state, workers } = this.#supervisor
    const isBusy = state === 'reloading' || workers.some((worker) => worker.state !== 'ready')
    this.#changes.busy(isBusy, performance.now())
  }

  #hear(file: string): void {
    this.#look()
    const verdict = this.#changes.changed(file, performance.now())
    if (verdict === 'own') this.#nameOwn(file, 'changes whenever workers start')
    if (verdict === 'often')
      this.#name(file, `${file} changes again and again: a reload now waits for some seconds without a change`)
    this.#wait()
  }

  #wait(): void {
    clearTimeout(this.#timer)
    // Changes in a start or a reload are for one reload after it, however many there are.
    if (this.#isReloading || this.#supervisor.state !== 'running') return
    const at = this.#changes.dueAt
    if (at !== undefined) this.#timer = setTimeout(() => this.#reload(), Math.max(0, at - performance.now()))
  }

  #reload(): void {
    const written = filesInWriting(new Set(this.#supervisor.workers.map(({ pid }) => pid)))
    for (const file of this.#changes.waiting) {
      if (!written.has(path.join(this.#folder, file))) continue
      this.#changes.own(file)
      this.#nameOwn(file, 'is open for writing in a worker')
    }
    const at = this.#changes.dueAt
    if (at === undefined || at > performance.now()) {
      this.#wait()
      return
    }
    this.#supervisor.emit('watch:change', this.#changes.take(performance.now()))
    this.#isReloading = true
    const done = (): void => {
      this.#isReloading = false
      this.#wait()
    }
    // The events 'reload:done' and 'reload:failed' report the result.
    this.#supervisor.reload().then(done, done)
  }

  #nameOwn(file: string, why: string): void {
    this.#name(file, `${file} ${why}: the program writes it, so its changes no longer reload`)
  }

  #name(file: string, text: string): void {
    if (this.#named.has(text)) return
    this.#named.add(text)
    this.#warn(`${text}. To leave it out: --watch-ignore '${file}' (the option 'watchIgnore')`)
  }

  #warn(message: string): void {
    this.#supervisor.emit('warning', message)
  }
}

function toRealPath(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}

function full(cwd: string, folders: readonly string[], { code }: NodeJS.ErrnoException): string {
  const named = folders.slice(0, NAMED).map((folder) => path.join(cwd, folder))
  const more = folders.length > NAMED ? ` and ${folders.length - NAMED} more folders` : ''
  const [what, limit] =
    code === 'ENOSPC'
      ? ['inotify watches', 'fs.inotify.max_user_watches (sysctl fs.inotify.max_user_watches=524288)']
      : ['inotify instances or descriptors', 'fs.inotify.max_user_instances or the limit of descriptors (ulimit -n)']
  return `there are no ${what} left (${code}): changes are not noticed in ${named.join(', ')}${more}, and below. Raise ${limit}, or leave folders out by --watch-ignore (the option 'watchIgnore')`
}
