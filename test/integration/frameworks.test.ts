// Unmodified programs under `reuseport run -n 2`, reloaded while clients ask: nobody may notice. Those of frameworks are in
// examples/, and their tests in test/examples.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'

const folder = fileURLToPath(new URL('../fixtures/frameworks', import.meta.url))

type Ask = (port: number) => Promise<string>

const byAgent =
  (agent: http.Agent | false): Ask =>
  (port) =>
    new Promise((resolve, reject) => {
      http
        .get({ port, host: '127.0.0.1', agent }, (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (data) => {
            text += data
          })
          response.on('end', () => resolve(String((JSON.parse(text) as { me: unknown }).me)))
        })
        .on('error', reject)
    })

const byNet: Ask = async (port) => {
  const socket = net.connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('utf8').on('data', (data) => {
    text += data
  })
  socket.write('x')
  await once(socket, 'end')
  return text.split(' ')[0] ?? ''
}

/** A connection for each request. */
const byHttp2: Ask = async (port) => {
  const session = http2.connect(`http://127.0.0.1:${port}`)
  try {
    const stream = session.request({ ':path': '/' })
    let text = ''
    stream.setEncoding('utf8').on('data', (data) => {
      text += data
    })
    await once(stream, 'end')
    return String((JSON.parse(text) as { me: unknown }).me)
  } finally {
    session.close()
  }
}

const BY_HTTP: readonly Ask[] = [byAgent(false), byAgent(new http.Agent({ keepAlive: true, maxSockets: 4 }))]

interface Framework {
  readonly script: string
  readonly asks: readonly Ask[]
  /** Who answers: 2 workers, each with so many of its own. */
  readonly servers: number
}

test.each<Framework>([
  { script: 'http2.mjs', asks: [byHttp2], servers: 2 },
  { script: 'cluster.mjs', asks: BY_HTTP, servers: 4 },
  { script: 'threads.mjs', asks: BY_HTTP, servers: 4 },
  { script: 'net.cjs', asks: [byNet], servers: 2 },
])('$script', async ({ script, asks, servers }) => {
  const port = await freePort()
  await using program = reuseport(['run', '-n', '2', `${folder}/${script}`], { env: { PORT: String(port) } })
  await program.said(/2 workers on /)
  const failures: unknown[] = []
  const answered: string[] = []
  let ends = false
  const clients = Array.from({ length: 8 }, async (_, index) => {
    while (!ends) {
      try {
        answered.push(await (asks[index % asks.length] as Ask)(port))
      } catch (error) {
        failures.push(error)
      }
    }
  })
  await expect.poll(() => new Set(answered).size, { timeout: 10_000 }).toBe(servers)
  const before = new Set(answered)
  program.child.kill('SIGHUP')
  await program.said(/generation 2 serves/)
  answered.length = 0
  await expect.poll(() => new Set(answered).size, { timeout: 10_000 }).toBe(servers)
  expect(answered.filter((who) => before.has(who))).toEqual([])
  ends = true
  await Promise.all(clients)
  expect(failures).toEqual([])
  program.child.kill('SIGTERM')
  expect(await program.exited).toMatchObject({
    code: 0,
    stderr: expect.not.stringMatching(/lost|died|failed|could not/),
  })
})
