// Files that change: which ones are heard, which are left out, and which are a reason to reload.
import { closeSync, mkdirSync, mkdtempSync, openSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Changes } from '../../src/supervisor/changes.js'
import { filesInWriting } from '../../src/supervisor/files-in-writing.js'
import { Watch } from '../../src/supervisor/watch.js'
import { toIgnored } from '../../src/supervisor/watch-ignore.js'

describe('what is left out', () => {
  test.each([
    ['*.log', ['app.log', 'a/b/app.log', 'old.log/file'], ['app.logs', 'log']],
    ['logs', ['logs', 'logs/a', 'x/logs/a'], ['logs2', 'a.logs']],
    ['/logs', ['logs', 'logs/a'], ['x/logs']],
    ['./logs/', ['logs', 'logs/a'], ['x/logs']],
    ['/srv/app/var', ['var', 'var/a'], ['x/var']],
    ['public/*.css', ['public/a.css'], ['public/x/a.css', 'a.css']],
    ['public/**', ['public/a', 'public/x/a.css'], ['public', 'a/public/x']],
    ['**/tmp', ['tmp', 'a/tmp', 'a/b/tmp/c'], ['a/tmps']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b/c'], ['b', 'ab']],
    ['data-?.{json,txt}', ['data-1.json', 'x/data-2.txt'], ['data-10.json', 'data-1.js']],
    ['[ab].js', ['a.js', 'b.js', '[ab].js'], ['c.js']],
    ['[!ab].js', ['c.js'], ['a.js']],
    ['[id].js', ['[id].js', 'i.js'], ['id.js']],
    ['a+(b).js', ['a+(b).js'], ['aab.js']],
    ['a[.js', ['a[.js'], ['a.js']],
    ['{a', ['{a'], ['a']],
  ] as const)('%s', (pattern, out, kept) => {
    const isIgnored = toIgnored([pattern], '/srv/app')
    for (const file of out) expect([file, isIgnored(file)]).toEqual([file, true])
    for (const file of kept) expect([file, isIgnored(file)]).toEqual([file, false])
  })

  test('packages and hidden names always', () => {
    const isIgnored = toIgnored([], '/')
    for (const file of ['node_modules', 'a/node_modules/b', '.git', 'a/.env']) expect(isIgnored(file)).toBe(true)
    expect(isIgnored('a/modules.js')).toBe(false)
  })
})

/** A clock, and what a supervisor would do: each reload takes a second. */
class Days {
  now = 100_000
  reloads = 0
  readonly changes = new Changes()
  /** What the program does when it starts. */
  starting: () => unknown = () => {}

  /** Lets time pass, and reloads when one is due. */
  pass(ms: number): void {
    const end = this.now + ms
    for (let due = this.changes.dueAt; due !== undefined && due <= end; due = this.changes.dueAt) {
      this.now = Math.max(this.now, due)
      expect(this.changes.take(this.now)).not.toEqual([])
      this.reloads++
      this.start()
    }
    this.now = Math.max(this.now, end)
  }

  start(): void {
    this.changes.busy(true, this.now)
    this.starting()
    this.now += 1000
    this.changes.busy(false, this.now)
  }

  change(file: string): string {
    return this.changes.changed(file, this.now)
  }
}

describe('whether a change is a reason to reload', () => {
  test('of one file, soon; of many together, once, after the last of them', () => {
    const days = new Days()
    for (const file of ['a.js', 'b.js', 'c.css']) {
      expect(days.change(file)).toBe('reload')
      days.pass(100)
    }
    expect(days.reloads).toBe(0)
    expect(days.changes.waiting).toEqual(['a.js', 'b.js', 'c.css'])
    days.pass(1000)
    expect(days.reloads).toBe(1)
    days.pass(100_000)
    expect(days.reloads).toBe(1)
  })

  test('a file that a person saves now and then: always soon', () => {
    const days = new Days()
    for (let turn = 1; turn <= 20; turn++) {
      expect(days.change('style.css')).toBe('reload')
      days.pass(150)
      expect(days.reloads).toBe(turn)
      days.pass(8000)
    }
  })

  test.each([
    ['app.log', 1],
    ['state.json', 1],
    ['routes.gen.ts', 3],
  ])('a file that changes whenever the program starts ends the circle: %s', (file, most) => {
    const days = new Days()
    const verdicts: string[] = []
    days.starting = () => verdicts.push(days.change(file))
    days.start()
    days.pass(1_000_000)
    expect(days.reloads).toBe(most)
    expect(verdicts.at(-1)).toBe('own')
    // Another file reloads as ever, and this one does not follow it.
    days.change('server.js')
    days.pass(1_000_000)
    expect(days.reloads).toBe(most + 1)
    // Code may be changed by a person all the same.
    days.change(file)
    days.pass(1_000_000)
    expect(days.reloads).toBe(most + (file.endsWith('.ts') ? 2 : 1))
  })

  test('what is written right after the start, or when a worker ends, belongs to it', () => {
    const days = new Days()
    days.start()
    days.starting = () => {}
    for (let turn = 0; turn < 2; turn++) {
      days.now += 900
      days.change('app.log')
      days.pass(10_000)
      if (turn === 0) days.start()
    }
    expect(days.reloads).toBe(1)
  })

  test('a person may save code several times while workers start', () => {
    const days = new Days()
    let saves = 0
    days.starting = () => {
      if (saves++ < 3) days.change('server.js')
    }
    days.start()
    days.pass(100_000)
    expect(days.reloads).toBe(3)
    days.starting = () => {}
    expect(days.change('server.js')).toBe('reload')
    days.pass(150)
    expect(days.reloads).toBe(4)
  })

  test('a file that requests change: seldom, then not while it changes', () => {
    const days = new Days()
    const verdicts = new Set<string>()
    days.starting = () => verdicts.add(days.change('access.txt'))
    for (let turn = 0; turn < 10_000; turn++) {
      verdicts.add(days.change('access.txt'))
      days.pass(20)
    }
    expect(days.reloads).toBeLessThan(4)
    expect(days.changes.waiting.length + days.reloads).toBeGreaterThan(0)
  })

  test('one that changes in the middle of everything waits, and another file does not wait for it', () => {
    const days = new Days()
    for (let turn = 0; turn < 10; turn++) {
      days.change('access.js')
      days.pass(1500)
    }
    const before = days.reloads
    expect(before).toBe(2)
    expect(days.change('access.js')).toBe('often')
    days.change('server.js')
    days.pass(150)
    expect(days.reloads).toBe(before + 1)
    expect(days.changes.waiting).toEqual([])
    days.pass(100_000)
    expect(days.reloads).toBe(before + 1)
    expect(days.change('access.js')).toBe('reload')
  })

  test('a file that is known to be the program’s', () => {
    const days = new Days()
    days.change('data.sqlite')
    days.changes.own('data.sqlite')
    days.pass(100_000)
    expect(days.change('data.sqlite')).toBe('own')
    days.pass(100_000)
    expect(days.reloads).toBe(0)
  })
})

test('files that a process has open for writing (needs /proc)', () => {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'reuseport-writing-')))
  const [written, read] = [path.join(folder, 'written'), path.join(folder, 'read')]
  writeFileSync(read, '')
  const open = [openSync(written, 'a'), openSync(read, 'r')]
  const found = filesInWriting([process.pid, 0x7ffffffe])
  expect(found.has(written)).toBe(true)
  expect(found.has(read)).toBe(false)
  for (const fd of open) closeSync(fd)
  rmSync(folder, { recursive: true })
  expect(filesInWriting([process.pid]).has(written)).toBe(false)
})

describe('files that change', () => {
  let folder: string
  let watch: Watch
  const changed = vi.fn()
  const failed = vi.fn()
  const full = vi.fn()
  const listeners = { onChange: changed, onError: failed, onFull: full }
  const heard = (): Set<string> => new Set(changed.mock.calls.map(([file]) => file as string))

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'reuseport-watch-'))
    for (const name of ['kept', 'kept/deep', 'logs', 'node_modules', '.git']) mkdirSync(path.join(folder, name))
    writeFileSync(path.join(folder, 'file.js'), '')
    for (const mock of [changed, failed, full]) mock.mockReset()
    watch = new Watch(folder, toIgnored(['logs', '*.log'], folder), listeners)
  })

  afterEach(() => {
    watch.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Writes until it is heard: a new folder is watched a moment later. */
  async function heardOf(file: string): Promise<void> {
    await expect
      .poll(() => {
        writeFileSync(path.join(folder, file), 'x')
        return [...heard()]
      })
      .toContain(file)
  }

  test('also in folders below, and in new ones', async () => {
    for (const file of ['file.js', 'kept/deep/file.js']) await heardOf(file)
    mkdirSync(path.join(folder, 'new'))
    await heardOf('new/file.js')
    expect(failed).not.toHaveBeenCalled()
  })

  test('not where packages are, nor in hidden folders, nor what is left out', async () => {
    for (const file of ['node_modules/a', '.git/a', '.hidden', 'logs/a', 'app.log', 'kept/app.log'])
      writeFileSync(path.join(folder, file), '')
    await heardOf('file.js')
    expect(heard()).toEqual(new Set(['file.js']))
  })

  test('a folder that goes is no error, and is heard again when it comes back', async () => {
    for (let turn = 0; turn < 3; turn++) {
      changed.mockReset()
      rmSync(path.join(folder, 'kept'), { recursive: true })
      await expect.poll(heard).toContain('kept')
      mkdirSync(path.join(folder, 'kept/deep'), { recursive: true })
      await heardOf('kept/deep/file.js')
      rmSync(path.join(folder, 'kept'), { recursive: true })
      // At once: no event comes in between.
      mkdirSync(path.join(folder, 'kept/deep'), { recursive: true })
      await heardOf('kept/other.js')
      await heardOf('kept/deep/other.js')
    }
    expect(failed).not.toHaveBeenCalled()
    new Watch(path.join(folder, 'nowhere'), () => false, listeners).close()
    expect(failed).not.toHaveBeenCalled()
  })

  test('links are not followed, whether they are there before or come later', async () => {
    const other = mkdtempSync(path.join(tmpdir(), 'reuseport-linked-'))
    symlinkSync(other, path.join(folder, 'before'))
    watch.close()
    watch = new Watch(folder, () => false, listeners)
    symlinkSync(other, path.join(folder, 'later'))
    symlinkSync('.', path.join(folder, 'self'))
    await expect.poll(heard).toContain('self')
    writeFileSync(path.join(other, 'file.js'), '')
    await heardOf('file.js')
    expect([...heard()].filter((file) => file.includes('/'))).toEqual([])
    rmSync(other, { recursive: true })
  })

  test('what cannot be watched for another reason is told', () => {
    new Watch('\0', () => false, listeners).close()
    expect(failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }))
  })
})
