import { fstatSync } from 'node:fs'
import process from 'node:process'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Supervisor, WorkerInfo } from '../supervisor.js'
import { LineCutter } from './line-cutter.js'
import { type Colour, paint, type Screen } from './terminal.js'

const COLOURS: readonly Colour[] = ['cyan', 'green', 'yellow', 'red']

/** ms for the end of a worker's output after the worker's own: a process that it has started may hold the output. */
const AFTER_EXIT = 1000
/** ms in which nobody reads what is printed: then the end of the supervisor waits no longer. */
const STALLED = 1000
/** ms at most for the last output: a process that a worker has started may go on printing. */
const LAST = 5000

type Name = 'stdout' | 'stderr'

/** The output of one worker on one stream. */
interface Source {
  readonly worker: WorkerInfo
  readonly to: Writable
  readonly from: Readable
  readonly lines: LineCutter
}

/**
 * Prints the output of workers with the worker's name before each line. Whole lines only, so that lines never mix. The
 * output of workers is read no faster than it can be printed.
 */
export class Prefixer {
  readonly #sources = new Map<Readable, Source>()
  readonly #paused = new Set<Source>()
  readonly #screen: Screen
  readonly #streams: Readonly<Record<Name, Writable>>

  constructor(supervisor: Supervisor, screen: Screen, streams: Readonly<Record<Name, Writable>> = printStreams()) {
    this.#screen = screen
    this.#streams = streams
    supervisor.on('worker:output', (worker, name, text, from) => this.#print(this.#source(worker, name, from), text))
    supervisor.on('worker:exit', ({ pid, threadId }) => {
      const isOf = ({ worker }: Source): boolean => worker.pid === pid && worker.threadId === threadId
      setTimeout(() => this.#flushIdle(isOf), AFTER_EXIT).unref()
    })
    for (const to of new Set([streams.stdout, streams.stderr])) {
      // Where the reader has gone, the text is lost and workers must not wait for it.
      for (const event of ['drain', 'error', 'close']) to.on(event, () => this.#resume(to))
    }
  }

  /** Waits until everything that workers have printed is written. @returns false where nobody reads it. */
  async end(): Promise<boolean> {
    let left = this.#left()
    const begun = performance.now()
    for (let since = begun; left !== '' && performance.now() < Math.min(since + STALLED, begun + LAST); ) {
      await sleep(10)
      const now = this.#left()
      if (now !== left) since = performance.now()
      left = now
    }
    for (const source of this.#sources.values()) this.#flush(source)
    return Object.values(this.#streams).every(({ writableLength }) => writableLength === 0)
  }

  /** What is not read or not written yet. It stays the same where nothing moves. */
  #left(): string {
    const unread = [...this.#sources.keys()].map(({ readableLength }) => readableLength)
    const unwritten = Object.values(this.#streams).map(({ writableLength }) => writableLength)
    return unread.length === 0 && unwritten.every((length) => length === 0) ? '' : [...unread, '|', ...unwritten].join()
  }

  #source(worker: WorkerInfo, name: Name, from: Readable): Source {
    const known = this.#sources.get(from)
    if (known !== undefined) return known
    const source = { worker, to: this.#streams[name], from, lines: new LineCutter() }
    this.#sources.set(from, source)
    from.once('close', () => {
      this.#flush(source)
      this.#sources.delete(from)
      this.#paused.delete(source)
    })
    return source
  }

  #print(source: Source, text: string): void {
    for (const line of source.lines.add(text)) this.#write(source, line)
    // A stream that has failed may say that it needs to drain when nothing is left to be written.
    if (!source.to.writableNeedDrain || source.to.writableLength === 0) return
    source.from.pause()
    this.#paused.add(source)
  }

  #resume(to: Writable): void {
    for (const source of this.#paused) {
      if (source.to !== to) continue
      this.#paused.delete(source)
      source.from.resume()
    }
  }

  #flushIdle(isOf: (source: Source) => boolean): void {
    for (const source of this.#sources.values()) if (isOf(source) && !this.#paused.has(source)) this.#flush(source)
  }

  #flush(source: Source): void {
    const rest = source.lines.rest()
    if (rest !== undefined) this.#write(source, rest)
  }

  #write({ worker: { slot, pid, threadId }, to }: Source, line: string): void {
    const colour = COLOURS[slot % COLOURS.length] ?? 'cyan'
    const name = paint(this.#screen, colour, `${slot} ${threadId === undefined ? pid : `thread ${threadId}`} |`)
    to.write(`${name} ${line}\n`)
  }
}

/**
 * The streams to print on. Where both are one pipe (`2>&1`), one stream prints everything: a pipe that is full takes
 * parts of lines, and the other stream would write between them.
 */
export function printStreams(): Readonly<Record<Name, Writable>> {
  const { stdout, stderr } = process
  return { stdout, stderr: isOneFile(1, 2) ? stdout : stderr }
}

function isOneFile(one: number, other: number): boolean {
  try {
    const [first, second] = [fstatSync(one), fstatSync(other)]
    return first.dev === second.dev && first.ino === second.ino
  } catch {
    return false
  }
}
