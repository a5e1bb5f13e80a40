// Programs of examples/ that speak HTTP, with the packages that are there anyway.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ANSWERS, exampleFile, runExample, supervised } from '../support/example.js'
import { type Asked, http2Clients, httpClients, httpsClients } from '../support/example-clients.js'
import { freePort } from '../support/listeners.js'

const TIMES = { timeout: 120_000 }

test.each<[string, Asked?]>([
  ['http.js'],
  ['express.js'],
  ['express.js', { path: '/echo', body: { text: 'hello' } }],
  ['fastify.js'],
  ['koa.js'],
  ['hono.js'],
  ['cluster-migration/after.js'],
])('%s', TIMES, async (script, asked) => {
  const port = await freePort()
  await runExample({ ...supervised(script, [port]), clients: httpClients(port, asked) })
})

test('cluster-migration/before.js: its cluster is replaced as a whole', TIMES, async () => {
  const port = await freePort()
  const args = supervised('cluster-migration/before.js', [port, 2], ['-n', '1']).args
  await runExample({
    args,
    workers: 2,
    ready: /1 worker on /,
    reloaded: /generation 2 serves/,
    clients: httpClients(port),
  })
})

test('worker-threads.js: SIGHUP replaces its threads', TIMES, async () => {
  const port = await freePort()
  await runExample({
    args: [exampleFile('worker-threads.js'), String(port), '2'],
    ready: /(\d+) threads on port/,
    reloaded: /all threads are new/,
    clients: httpClients(port),
  })
})

describe('with a certificate', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-example-'))
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name)) as [string, string]
  const renew = () => {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30']
    const files = ['-subj', '/CN=localhost', '-keyout', key, '-out', cert]
    execFileSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' })
  }
  beforeAll(renew)
  afterAll(() => rmSync(folder, { recursive: true }))

  test('https.js', TIMES, async () => {
    const port = await freePort()
    const resumed: boolean[] = []
    const worker = (answer: unknown) => {
      const { resumed: isResumed, worker } = answer as { resumed: boolean; worker: number }
      resumed.push(isResumed)
      return worker
    }
    const clients = httpsClients(port, { worker })
    await runExample({ ...supervised('https.js', [port, key, cert]), clients, beforeReload: renew })
    // All but the first of each client, and those of connections that were kept from the first one on.
    expect(resumed.slice(resumed.length / 2).filter((isResumed) => isResumed).length).toBeGreaterThan(ANSWERS)
  })

  test('http2.js', TIMES, async () => {
    const port = await freePort()
    const clients = [...http2Clients(port), ...httpsClients(port)]
    await runExample({ ...supervised('http2.js', [port, key, cert]), clients })
  })
})
