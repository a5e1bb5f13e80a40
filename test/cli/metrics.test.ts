// `reuseport run --metrics`: what Prometheus and probes get from a supervisor and its workers.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Ran, type RunOptions, reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'
import { parseMetrics } from '../support/prometheus.js'
import { get, script } from '../support/supervisors.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-metrics-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function set(setting: object): string {
  const file = path.join(folder, 'setting.json')
  writeFileSync(file, JSON.stringify(setting))
  return file
}

function run(setting: object, options: readonly string[] = [], more: RunOptions = {}): Ran {
  return reuseport(['run', '-n', '2', '--metrics', '0', ...options, script, set(setting)], more)
}

async function placeOf(command: Ran): Promise<string> {
  await command.said(/serves \/metrics/)
  return /serves \/metrics, \/livez and \/readyz at (\S+)/.exec(command.stderr())?.[1] ?? ''
}

function ask(where: string, url: string): Promise<{ status: number | undefined; text: string }> {
  const to = where.startsWith('http') ? { host: '127.0.0.1', port: new URL(where).port } : { socketPath: where }
  return new Promise((resolve, reject) => {
    http
      .get({ ...to, path: url, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (data) => {
          text += data
        })
        response.on('end', () => resolve({ status: response.statusCode, text }))
      })
      .on('error', reject)
  })
}

/** By name and labels. */
async function scrape(where: string): Promise<(name: string, labels?: string) => number | undefined> {
  const { status, text } = await ask(where, '/metrics')
  expect(status, text).toBe(200)
  const metrics = parseMetrics(text)
  return (name, labels = '') => metrics.get(name)?.samples.get(labels)
}

async function sumOf(where: string, name: string): Promise<number> {
  const of = await scrape(where)
  return (of(name, 'slot="0"') ?? Number.NaN) + (of(name, 'slot="1"') ?? Number.NaN)
}

const ready = (where: string): Promise<number | undefined> => ask(where, '/readyz').then(({ status }) => status)

describe('probes', () => {
  test('are answered while the workers start: alive, and not ready', async () => {
    await using command = run({ how: 'never' })
    const where = await placeOf(command)
    expect(await ask(where, '/livez')).toEqual({ status: 200, text: 'the supervisor is alive\n' })
    expect(await ask(where, '/readyz')).toEqual({ status: 503, text: 'starting, 0 workers are ready\n' })
  })

  test('ready while any worker is, and not while all drain', async () => {
    const port = await freePort()
    await using command = run({ how: 'ignores drain', port }, ['--drain-timeout', '60s'])
    const where = await placeOf(command)
    await command.said(/2 workers on/)
    expect(await ask(where, '/readyz')).toEqual({ status: 200, text: 'running, 2 workers are ready\n' })
    const client = net.connect(port, '127.0.0.1').on('error', () => {})
    await expect.poll(() => client.bytesRead).toBeGreaterThan(0)
    command.child.kill('SIGTERM')
    await expect.poll(() => ready(where)).toBe(503)
    expect(await ask(where, '/livez')).toMatchObject({ status: 200 })
    client.destroy()
  })
})

describe('metrics', () => {
  test('of connections go on over a reload and a death; restarts have a cause', async () => {
    const port = await freePort()
    await using command = run({ how: 'plain', port })
    const where = await placeOf(command)
    await command.said(/2 workers on/)
    expect(await sumOf(where, 'reuseport_worker_accepted_total')).toBe(0)
    await Promise.all(Array.from({ length: 40 }, () => get(port)))
    // The last scrape before the reload was before these.
    command.child.kill('SIGHUP')
    await command.said(/generation 2 serves/)
    await expect.poll(() => sumOf(where, 'reuseport_worker_accepted_total')).toBe(40)
    let of = await scrape(where)
    expect(of('reuseport_generation')).toBe(2)
    expect(of('reuseport_worker_generation', 'slot="1"')).toBe(2)
    expect(of('reuseport_reloads_total', 'outcome="done"')).toBe(1)
    expect(of('reuseport_reload_duration_seconds', 'count')).toBe(1)
    expect(of('reuseport_reload_duration_seconds', 'sum')).toBeGreaterThan(0)
    expect(of('reuseport_worker_exits_total', 'slot="0",cause="told"')).toBe(1)
    expect(of('reuseport_worker_restarts_total', 'slot="0"')).toBe(0)
    expect(of('reuseport_queue_connections', `slot="0",address="127.0.0.1:${port}"`)).toBe(0)
    expect(of('reuseport_queue_backlog', `slot="1",address="127.0.0.1:${port}"`)).toBe(511)
    expect(of('reuseport_queue_drops_total', `slot="1",address="127.0.0.1:${port}"`)).toBe(0)
    expect(of('reuseport_state', 'state="running"')).toBe(1)
    expect(of('reuseport_slots_up')).toBe(2)
    const { me } = await get(port)
    process.kill(Number.parseInt(me, 10), 'SIGKILL')
    await command.said(/worker \d \(\d+\) died: SIGKILL/)
    await expect.poll(() => sumOf(where, 'reuseport_worker_restarts_total')).toBe(1)
    await expect.poll(() => sumOf(where, 'reuseport_worker_up')).toBe(2)
    of = await scrape(where)
    const died = [0, 1].map((slot) => of('reuseport_worker_exits_total', `slot="${slot}",cause="signal"`))
    expect(died.toSorted()).toEqual([0, 1])
    // 40, and 1 of the worker that has died, unless that was not scraped.
    expect(await sumOf(where, 'reuseport_worker_accepted_total')).toBeGreaterThanOrEqual(40)
  })

  test('of open connections, and of a worker that hangs: what only it can tell is missing', async () => {
    const port = await freePort()
    await using command = run({ how: 'hangs when it is asked to', port })
    const where = await placeOf(command)
    await command.said(/2 workers on/)
    const agent = new http.Agent({ keepAlive: true })
    http.get({ port, host: '127.0.0.1', agent }, (response) => response.resume())
    await expect.poll(() => sumOf(where, 'reuseport_worker_connections')).toBe(1)
    agent.destroy()
    await expect.poll(() => sumOf(where, 'reuseport_worker_connections')).toBe(0)
    await get(port, '127.0.0.1', '/hang')
    await expect.poll(() => sumOf(where, 'reuseport_worker_responding')).toBe(1)
    const of = await scrape(where)
    const hung = of('reuseport_worker_responding', 'slot="0"') === 0 ? 'slot="0"' : 'slot="1"'
    expect(of('reuseport_worker_up', hung)).toBe(1)
    expect(of('reuseport_worker_loop_delay_seconds', hung)).toBeUndefined()
    expect(of('reuseport_worker_connections', hung)).toBeUndefined()
    expect(of('reuseport_worker_cpu_seconds_total', hung)).toBeGreaterThan(0)
    expect(of('reuseport_worker_memory_bytes', hung)).toBeGreaterThan(10_000_000)
    const other = hung === 'slot="0"' ? 'slot="1"' : 'slot="0"'
    expect(of('reuseport_worker_loop_delay_seconds', other)).toBeGreaterThanOrEqual(0)
    expect(await ready(where)).toBe(200)
  })

  test.each([
    ['threads', ['--threads']],
    ['one socket for all', ['--one-socket']],
    ['passed on', ['--balance', 'connections']],
  ])('with %s', async (what, options) => {
    const port = await freePort()
    await using command = run({ how: 'plain', port }, options)
    const where = await placeOf(command)
    await command.said(/2 workers on/)
    await Promise.all(Array.from({ length: 10 }, () => get(port)))
    await expect.poll(() => sumOf(where, 'reuseport_worker_accepted_total')).toBe(10)
    const of = await scrape(where)
    const slot = what.startsWith('one socket') ? 'all' : '0'
    expect(of('reuseport_queue_backlog', `slot="${slot}",address="127.0.0.1:${port}"`)).toBe(511)
    expect(of('reuseport_worker_passed_on_total', 'slot="0"') !== undefined).toBe(what === 'passed on')
  })

  test.each([
    [['--metrics', '0'], true],
    [[], false],
  ])('%j: a worker listens to the accepted connections: %s', async (options, listens) => {
    const program = path.join(folder, 'program.cjs')
    writeFileSync(
      program,
      `const http = require('node:http')
      console.log(require('node:diagnostics_channel').hasSubscribers('net.server.socket'))
      http.createServer().listen(0)`,
    )
    await using command = reuseport(['run', '-n', '1', ...options, program])
    await expect.poll(() => command.stdout()).toBe(`${listens}\n`)
  })
})

describe('the place', () => {
  test.each(['nonsense', '70000', ':80'])('%s is wrong usage', async (place) => {
    await using command = reuseport(['run', '--metrics', place, script, set({ how: 'plain' })])
    const { code, stderr } = await command.exited
    expect(code).toBe(2)
    expect(stderr).toContain(`'${place}'`)
  })

  test('that another process has is an error; with --replace it is taken as soon as it is free', async () => {
    const port = await freePort()
    await using first = run({ how: 'plain', port })
    const where = await placeOf(first)
    await first.said(/2 workers on/)
    const place = new URL(where).host
    await using refused = run({ how: 'plain', port }, ['--metrics', place])
    const { code, stderr } = await refused.exited
    expect(code).toBe(1)
    expect(stderr).toContain(`cannot serve metrics at ${where}: listen EADDRINUSE`)
    await using second = run({ how: 'plain', port }, ['--replace', '--metrics', place])
    await second.said(/tries again until it can/)
    await second.said(/2 workers on/)
    await second.said(/serves \/metrics/)
    expect((await first.exited).code).toBe(0)
    expect(await ready(where)).toBe(200)
  })

  test('may be a unix path, which is gone at the end', async () => {
    const file = path.join(folder, 'metrics.sock')
    await using command = run({ how: 'plain' }, ['--metrics', file])
    expect(await placeOf(command)).toBe(file)
    await command.said(/2 workers on/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await ready(file)).toBe(200)
    command.child.kill('SIGTERM')
    expect((await command.exited).code).toBe(0)
    expect(() => statSync(file)).toThrow(/ENOENT/)
  })
})
