// Unmodified programs share their ports by a preload.
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { freePort } from '../support/listeners.js'
import { type Program, start } from '../support/processes.js'
import { acceptQueueLimit, listenersOn } from '../support/sockets.js'

const register = fileURLToPath(new URL('../../dist/register.js', import.meta.url))

function app(setting: object, env: NodeJS.ProcessEnv = {}): Program {
  return start('register-app.mjs', [JSON.stringify(setting)], {
    execArgv: ['--import', register],
    env: { ...process.env, ...env },
  })
}

test.each([
  'port',
  'port and host',
  'port, host and backlog',
  'port as text',
  'an object',
  'an object with more in it',
  'an object and a backlog',
  'a name',
])('two processes share a port: %s', async (how) => {
  const port = await freePort()
  await using one = app({ how, port })
  expect(await one.message()).toMatchObject({ address: { port } })
  await using two = app({ how, port })
  expect(await two.message()).toMatchObject({ address: { port } })
  expect(listenersOn(port)).toHaveLength(2)
  expect(acceptQueueLimit(port)).toBe(how.includes('backlog') || how.includes('more') ? 7 : 511)
})

describe('what is left as it is', () => {
  test('a port that says so, by reusePort: false', async () => {
    const port = await freePort()
    await using one = app({ how: 'not shared', port })
    await one.message()
    await using two = app({ how: 'not shared', port })
    expect(await two.message()).toMatchObject({ error: 'EADDRINUSE' })
  })

  test.each([
    ['another port than those named', (port: number) => String(port === 1 ? 2 : 1)],
    ['a port that is taken out', (port: number) => `!${port}`],
  ])('REUSEPORT_PORTS: %s', async (_what, ports) => {
    const port = await freePort()
    const env = { REUSEPORT_PORTS: ports(port) }
    await using one = app({ how: 'port and host', port }, env)
    await one.message()
    await using two = app({ how: 'port and host', port }, env)
    expect(await two.message()).toMatchObject({ error: 'EADDRINUSE' })
  })

  test('a path', async () => {
    await using one = app({ how: 'a path' })
    expect(await one.message()).toMatchObject({ address: expect.stringContaining('reuseport-register') })
  })

  test.each([70_000, -1, 'abc', 1.5])('an error of Node for port %j', async (port) => {
    const said: unknown[] = []
    for (const execArgv of [['--import', register], []]) {
      await using program = start('register-app.mjs', [JSON.stringify({ how: 'an object', port })], { execArgv })
      said.push(await program.message())
    }
    expect(said[0]).toEqual(said[1])
    expect(said[0]).toHaveProperty('threw')
  })
})

test('REUSEPORT_PORTS: the port that is named is shared', async () => {
  const port = await freePort()
  const env = { REUSEPORT_PORTS: `1, ${port}` }
  await using one = app({ how: 'port and host', port }, env)
  await one.message()
  await using two = app({ how: 'port and host', port }, env)
  expect(await two.message()).toMatchObject({ address: { port } })
})

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const hasReusePort = major > 22 || (major === 22 && minor >= 12)

test.skipIf(!hasReusePort)("without the addon Node's own reusePort serves (needs Node 22.12)", async () => {
  const port = await freePort()
  const options = { execArgv: ['--no-addons', '--import', register] }
  const setting = [JSON.stringify({ how: 'port and host', port })]
  await using one = start('register-app.mjs', setting, options)
  expect(await one.message()).toMatchObject({ address: { port } })
  await using two = start('register-app.mjs', setting, options)
  expect(await two.message()).toMatchObject({ address: { port } })
})

test('within a process a second server of the same port joins too', async () => {
  const port = await freePort()
  await using one = app({ how: 'twice', port })
  expect([await one.message(), await one.message()]).toEqual(
    expect.arrayContaining([{ second: 'listening' }, expect.objectContaining({ address: expect.anything() })]),
  )
})

test.each([
  [
    { REUSEPORT_PORTS: '80,http' },
    "REUSEPORT_PORTS must list ports from 0 to 65535, or unix paths (/run/app.sock, @name), with ! before what is not shared. Received 'http'",
  ],
  [{ REUSEPORT_PORTS: '70000' }, "Received '70000'"],
  [
    { REUSEPORT_FALLBACK: 'maybe' },
    "REUSEPORT_FALLBACK must be one of: error, unbalanced, exclusive. Received 'maybe'",
  ],
])('%j is refused before the program begins', async (env, text) => {
  await using program = app({ how: 'port', port: 0 }, env)
  const { code, stderr } = await program.exited
  expect(code).toBe(1)
  expect(stderr).toContain(text)
})

test('workers of cluster, and threads, share by it too', async () => {
  for (const kind of ['cluster', 'threads']) {
    const port = await freePort()
    await using program = start('register-workers.mjs', [JSON.stringify({ kind, port })], {
      execArgv: ['--import', register],
    })
    expect(await program.message()).toEqual({ listening: 2 })
    expect(listenersOn(port)).toHaveLength(2)
    program.send({})
    await program.exited
  }
})

test('a misspelt variable is warned of, once, also where the program has threads and cluster workers', () => {
  const program = fileURLToPath(new URL('../fixtures/register-family.cjs', import.meta.url))
  const env = { ...process.env, REUSEPORT_PORT: '8080', REUSEPORT_PORTS: '8081', REUSEPORT_OF_MINE: '1', PORTS: '1' }
  const { status, stderr } = spawnSync(process.execPath, ['--import', register, program], {
    env,
    encoding: 'utf8',
  })
  expect(status).toBe(0)
  const warnings = stderr.split('\n').filter((line) => line.includes('Warning:'))
  expect(warnings).toEqual([
    expect.stringMatching(
      /\[REUSEPORT_UNKNOWN_VARIABLE\] ReusePortWarning: the environment variable "REUSEPORT_PORT" has no effect: did you mean REUSEPORT_PORTS\?$/,
    ),
  ])
})

test('UDP sockets share their port, but for `exclusive` ones', () => {
  const program = `
    const dgram = require('node:dgram')
    const bind = (options) => new Promise((resolve) => {
      const socket = dgram.createSocket('udp4')
      socket.on('error', ({ code }) => resolve(code)).bind(options, '127.0.0.1', () => resolve(socket.address().port))
    })
    bind({ address: '127.0.0.1' }).then(async (port) => {
      const others = [await bind(port), await bind({ port, exclusive: true, address: '127.0.0.1' })]
      console.log(JSON.stringify(others.map((one) => (one === port ? 'shared' : one))))
      process.exit()
    })`
  const run = (env: NodeJS.ProcessEnv = {}): unknown =>
    JSON.parse(
      execFileSync(process.execPath, ['--no-warnings', '--import', register, '-e', program], {
        encoding: 'utf8',
        env: { ...process.env, ...env },
      }),
    )
  expect(run()).toEqual(['shared', 'EADDRINUSE'])
  expect(run({ REUSEPORT_PORTS: '1' })).toEqual(['EADDRINUSE', 'EADDRINUSE'])
})
