// The server of probes and metrics: what it answers, what it refuses, and its unix path.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MetricsPlace } from '../../src/supervisor/metrics-place.js'
import { type MetricsAnswers, MetricsServer } from '../../src/supervisor/metrics-server.js'
import { openSockets } from '../support/sockets.js'

const LOCAL: MetricsPlace = { host: '127.0.0.1', port: 0 }
const answers: MetricsAnswers = {
  readiness: () => ({ isReady: true, text: 'ready' }),
  metrics: async () => 'a 1\n',
}

let servers: MetricsServer[] = []
let folder: string

beforeEach(() => {
  servers = []
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-metrics-'))
})

afterEach(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

async function open(place: MetricsPlace = LOCAL, more: Partial<MetricsAnswers> = {}): Promise<MetricsServer> {
  const server = await MetricsServer.open(place, { ...answers, ...more })
  servers.push(server)
  return server
}

interface Answer {
  readonly status: number | undefined
  readonly text: string
  readonly headers: http.IncomingHttpHeaders
}

function ask(where: string, url: string, options: http.RequestOptions = {}): Promise<Answer> {
  const to = where.startsWith('http') ? { host: '127.0.0.1', port: new URL(where).port } : { socketPath: where }
  return new Promise((resolve, reject) => {
    http
      .request({ ...to, path: url, agent: false, ...options }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (data) => {
          text += data
        })
        response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }))
      })
      .on('error', reject)
      .end()
  })
}

describe('a server of metrics', () => {
  test('answers, and refuses what it does not have', async () => {
    let isReady = false
    const { where } = await open(LOCAL, { readiness: () => ({ isReady, text: isReady ? 'yes' : 'no' }) })
    expect(where).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(await ask(where, '/livez')).toMatchObject({ status: 200, text: 'the supervisor is alive\n' })
    expect(await ask(where, '/readyz?verbose')).toMatchObject({ status: 503, text: 'no\n' })
    isReady = true
    expect(await ask(where, '/readyz')).toMatchObject({ status: 200, text: 'yes\n' })
    expect(await ask(where, '/metrics')).toMatchObject({
      status: 200,
      text: 'a 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' },
    })
    expect(await ask(where, '/readyz', { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
    expect(await ask(where, '/')).toMatchObject({ status: 404, text: expect.stringContaining('/metrics') })
    expect(await ask(where, '/livez', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    })
    expect(await ask(where, '/livez', { headers: { long: 'x'.repeat(9000) } })).toMatchObject({ status: 431 })
  })

  test('collects once for scrapes that come together, and anew for the next one', async () => {
    let count = 0
    let finish = (): void => {}
    const { where } = await open(LOCAL, {
      metrics: async () => {
        count++
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return `a ${count}\n`
      },
    })
    const both = Promise.all([ask(where, '/metrics'), ask(where, '/metrics')])
    await expect.poll(() => count).toBe(1)
    // A probe does not wait for a scrape. When it is answered, both scrapes have come.
    expect((await ask(where, '/livez')).status).toBe(200)
    finish()
    expect((await both).map(({ text }) => text)).toEqual(['a 1\n', 'a 1\n'])
    const next = ask(where, '/metrics')
    await expect.poll(() => count).toBe(2)
    finish()
    expect((await next).text).toBe('a 2\n')
  })

  test('says that it could not collect', async () => {
    const { where } = await open(LOCAL, {
      metrics: async () => {
        throw new Error('no descriptor')
      },
    })
    expect(await ask(where, '/metrics')).toMatchObject({ status: 500, text: 'no descriptor\n' })
  })

  test('takes at most 64 clients; those that keep idle connections do not keep others out', async () => {
    const { where } = await open()
    const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 64 })
    try {
      await Promise.all(Array.from({ length: 64 }, () => ask(where, '/livez', { agent })))
      await expect
        .poll(
          () =>
            ask(where, '/livez').then(
              ({ status }) => status,
              () => 'refused',
            ),
          { timeout: 4000 },
        )
        .toBe(200)
    } finally {
      agent.destroy()
    }
  })

  test('is closed with the connections of its clients, and leaves no socket open', async () => {
    const before = openSockets()
    const server = await open()
    const client = net.connect(Number(new URL(server.where).port), '127.0.0.1').on('error', () => {})
    client.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(client, 'data')
    server.close()
    await once(client, 'close')
    await expect.poll(() => openSockets().filter((socket) => !before.includes(socket))).toEqual([])
  })

  test('a taken port is refused', async () => {
    const { where } = await open()
    const { host, port } = { host: '127.0.0.1', port: Number(new URL(where).port) }
    await expect(open({ host, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})

describe('a unix path', () => {
  const file = (): string => path.join(folder, 'metrics.sock')

  test('is for its user alone, whatever the umask, and goes with the server', async () => {
    const before = process.umask(0)
    const server = await open({ path: file() })
    process.umask(before)
    expect(server.where).toBe(file())
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['metrics.sock'])
    expect((await ask(file(), '/livez')).status).toBe(200)
    server.close()
    expect(readdirSync(folder)).toEqual([])
  })

  test('of a supervisor that has died is taken; of one that lives, or no socket, is left alone', async () => {
    const dead = `require('node:net').createServer().listen(${JSON.stringify(file())}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', dead])
    expect(readdirSync(folder)).toEqual(['metrics.sock'])
    await open({ path: file() })
    await expect(open({ path: file() })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringContaining('another process'),
    })
    expect((await ask(file(), '/livez')).status).toBe(200)
    const other = path.join(folder, 'text')
    writeFileSync(other, 'precious')
    await expect(open({ path: other })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: expect.stringContaining('no socket'),
    })
    symlinkSync(other, path.join(folder, 'link'))
    await expect(open({ path: path.join(folder, 'link') })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(readdirSync(folder).toSorted()).toEqual(['link', 'metrics.sock', 'text'])
  })

  test('that has another socket by now is left alone', async () => {
    const first = await open({ path: file() })
    unlinkSync(file())
    await open({ path: file() })
    first.close()
    expect((await ask(file(), '/livez')).status).toBe(200)
  })

  test('that is too long or in no folder is an error', async () => {
    await expect(open({ path: path.join(folder, 'x'.repeat(108)) })).rejects.toThrow(/bytes: at most 10[37]/)
    await expect(open({ path: path.join(folder, 'missing/metrics.sock') })).rejects.toMatchObject({
      code: 'ENOENT',
    })
  })
})
