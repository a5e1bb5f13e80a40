// What workers print, with `--prefix`: lines, whose they are, and how fast they are read.
import { EventEmitter, once } from 'node:events'
import { PassThrough, type Readable, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { LineCutter, LONGEST_LINE } from '../../src/cli/line-cutter.js'
import { Prefixer } from '../../src/cli/prefix.js'
import type { Screen } from '../../src/cli/terminal.js'
import type { Supervisor, WorkerInfo } from '../../src/supervisor.js'

const PLAIN: Screen = { columns: undefined, rows: undefined, coloured: false }
const COLOURED: Screen = { columns: 60, rows: 24, coloured: true }

const worker: WorkerInfo = {
  slot: 1,
  pid: 52,
  threadId: undefined,
  generation: 2,
  state: 'ready',
  startedAt: new Date(0),
}

describe('lines', () => {
  test('of pieces, without their ends', () => {
    const lines = new LineCutter()
    expect(lines.add('one\ntw')).toEqual(['one'])
    expect(lines.add('o')).toEqual([])
    expect(lines.add('\n\nthree\r\nfo')).toEqual(['two', '', 'three\r'])
    expect(lines.rest()).toBe('fo')
    expect(lines.rest()).toBeUndefined()
  })

  test('that are too long are several, and nothing is lost', () => {
    const lines = new LineCutter()
    const whole = 'x'.repeat(LONGEST_LINE)
    expect(lines.add(`${whole}\n`)).toEqual([whole])
    expect(lines.add(`${whole}${whole}yy\n`)).toEqual([whole, whole, 'yy'])
    expect(lines.add(whole)).toEqual([])
    expect(lines.add('')).toEqual([])
    expect(lines.add('z')).toEqual([whole])
    expect(lines.rest()).toBe('z')
  })

  test('are not cut within a character', () => {
    const lines = new LineCutter()
    const almost = 'x'.repeat(LONGEST_LINE - 1)
    expect(lines.add(`${almost}😀y\n`)).toEqual([almost, '😀y'])
  })
})

/** A stream that takes nothing until it is told to. */
class Slow extends Writable {
  text = ''
  #next: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 1, decodeStrings: false })
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.text += text
    this.#next = done
  }

  take(): void {
    this.#next?.()
  }

  async takeAll(): Promise<void> {
    while (this.writableLength > 0) {
      this.take()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

class Workers extends EventEmitter {
  readonly stdout: Writable
  readonly stderr: Writable
  readonly prefixer: Prefixer

  constructor(screen = PLAIN, stdout: Writable = new PassThrough(), stderr: Writable = new PassThrough()) {
    super()
    this.stdout = stdout
    this.stderr = stderr
    this.prefixer = new Prefixer(this as unknown as Supervisor, screen, { stdout, stderr })
  }

  /** The output of a worker, as `launch` tells it. */
  output(name: 'stdout' | 'stderr' = 'stdout', of: WorkerInfo = worker): PassThrough {
    const from = new PassThrough()
    from.setEncoding('utf8').on('data', (text: string) => this.emit('worker:output', of, name, text, from))
    return from
  }
}

async function ended(from: PassThrough): Promise<void> {
  from.end()
  await once(from, 'close')
}

const read = (stream: Writable): unknown => (stream as unknown as Readable).setEncoding('utf8').read()

describe('what workers print', () => {
  test('is told by lines, the rest when the output ends', async () => {
    const workers = new Workers()
    const [out, err] = [workers.output(), workers.output('stderr')]
    out.write('one\ntw')
    err.write('error')
    workers.emit('worker:exit', worker)
    out.write('o\nthr')
    await Promise.all([ended(out), ended(err)])
    expect(await workers.prefixer.end()).toBe(true)
    expect(read(workers.stdout)).toBe('1 52 | one\n1 52 | two\n1 52 | thr\n')
    expect(read(workers.stderr)).toBe('1 52 | error\n')
  })

  test('of a thread, in its colour', async () => {
    const workers = new Workers(COLOURED)
    await ended(workers.output('stdout', { ...worker, slot: 5, threadId: 3 }).on('pipe', () => {}))
    const out = workers.output('stdout', { ...worker, slot: 5, threadId: 3 })
    out.write('x\n')
    await ended(out)
    expect(read(workers.stdout)).toBe('\x1b[32m5 thread 3 |\x1b[0m x\n')
  })

  test('is read no faster than it is written: each stream waits for its own', async () => {
    const slow = new Slow()
    const workers = new Workers(PLAIN, slow)
    const [out, err] = [workers.output(), workers.output('stderr')]
    for (let line = 0; line < 1000; line++) out.write(`${line}\n`)
    err.write('error\n')
    await expect.poll(() => out.isPaused()).toBe(true)
    expect(err.isPaused()).toBe(false)
    expect(slow.writableLength).toBeLessThan(2000)
    out.end()
    let told = workers.prefixer.end()
    for (let turn = 0; turn < 5000 && !out.closed; turn++) await slow.takeAll()
    await slow.takeAll()
    expect(await told).toBe(true)
    told = workers.prefixer.end()
    expect(await told).toBe(true)
    expect(slow.text.split('\n')).toHaveLength(1001)
  })

  test('is lost where the reader has gone, and the worker does not wait', async () => {
    const gone = new Writable({
      highWaterMark: 1,
      write: (_text, _encoding, done) => setImmediate(done, new Error('EPIPE')),
    }).on('error', () => {})
    const workers = new Workers(PLAIN, gone)
    const out = workers.output()
    for (let line = 0; line < 100; line++) out.write(`${line}\n`)
    await ended(out)
    expect(await workers.prefixer.end()).toBe(true)
  })

  test('the end does not wait for a reader that has stopped, nor for a process that holds the output', async () => {
    const slow = new Slow()
    const workers = new Workers(PLAIN, slow)
    const [held, stuck] = [workers.output('stderr'), workers.output()]
    held.write('rest')
    stuck.write('one\ntwo\n')
    await expect.poll(() => stuck.isPaused()).toBe(true)
    expect(await workers.prefixer.end()).toBe(false)
    expect(read(workers.stderr)).toBe('1 52 | rest\n')
    await slow.takeAll()
    expect(await workers.prefixer.end()).toBe(true)
  })

  test('a rest is told a moment after the exit, also where another process holds the output', async () => {
    const workers = new Workers()
    const out = workers.output()
    out.write('rest')
    workers.emit('worker:exit', worker)
    await expect.poll(() => read(workers.stdout), { timeout: 5000 }).toBe('1 52 | rest\n')
    await ended(out)
  })
})
