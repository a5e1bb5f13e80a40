// The programs of examples/, as the README there starts them.
import { fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { exchange, freeUdpPort, occupyUdpPort } from '../support/datagrams.js'
import { freePort } from '../support/listeners.js'

const PROCESSES = 3

interface Example extends AsyncDisposable {
  /** Waits until so many lines say this. */
  said(pattern: RegExp, times: number): Promise<void>
  /** Ctrl-C, and all that was printed. */
  end(signal: NodeJS.Signals): Promise<{ stdout: string; stderr: string; code: number | null }>
  readonly exited: Promise<unknown>
}

function run(name: string, args: readonly (number | string)[]): Example {
  const path = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
  const child = fork(path, args.map(String), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] })
  const output = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  const exited = once(child, 'close')
  const gone = once(child, 'exit')
  return {
    exited,
    async said(pattern, times) {
      const lines = () => `${output.stdout}${output.stderr}`.split('\n').filter((line) => pattern.test(line))
      while (lines().length < times) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    async end(signal) {
      child.kill(signal)
      const [code] = await exited
      return { ...output, code }
    },
    async [Symbol.asyncDispose]() {
      // Workers outlive a supervisor that is killed, and keep its pipes open.
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 5000)
      await gone
      clearTimeout(late)
    },
  }
}

test.each(['SIGINT', 'SIGTERM'] as const)('echo: every process answers, and %s ends it', async (signal) => {
  const port = await freeUdpPort()
  await using example = run('echo.js', [port, PROCESSES])
  await example.said(/answers on port/, PROCESSES)
  const texts = Array.from({ length: 50 }, (_, index) => [`${index}`, `again ${index}`])
  expect(await Promise.all(texts.map((text) => exchange(port, text)))).toEqual(texts)
  expect(await example.end(signal)).toMatchObject({ code: 0, stderr: '' })
})

test('statsd: the sums of all processes are the sum of all datagrams', async () => {
  const port = await freeUdpPort()
  await using example = run('statsd.js', [port, PROCESSES])
  await example.said(/counts on port/, PROCESSES)
  const sources = Array.from({ length: 60 }, () => createSocket('udp4'))
  await Promise.all(
    sources.map(async (socket, index) => {
      for (const message of ['visits:1|c\nbytes:100|c', 'visits:2|c', 'no counter', `visits:${index % 2}|c`]) {
        await new Promise((resolve) => socket.send(message, port, '127.0.0.1', resolve))
      }
      socket.close()
    }),
  )
  const { stdout, code } = await example.end('SIGTERM')
  expect(code).toBe(0)
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({ visits: 60 * 3 + 30, bytes: 6000 })
})

test.each(['echo.js', 'statsd.js'])('%s says why it cannot have the port, and fails', async (name) => {
  await using taken = await occupyUdpPort('127.0.0.1')
  await using example = run(name, [taken.port, 1])
  await example.said(/bind EADDRINUSE 127\.0\.0\.1/, 1)
  expect(await example.exited).toEqual([1, null])
})

test('graceful-restart: SIGTERM to the old generation beside the new one, and no request fails', async () => {
  const port = await freePort()
  await using one = run('graceful-restart/server.js', [port, 'one'])
  await one.said(/listens on port/, 1)
  await using client = run('graceful-restart/client.js', [port])
  await client.said(/answers from generation one/, 1)
  await using two = run('graceful-restart/server.js', [port, 'two'])
  await two.said(/listens on port/, 1)
  const left = await one.end('SIGTERM')
  expect(left).toMatchObject({ code: 0, stderr: '' })
  expect(left.stdout).toMatch(/^generation one left by 'steer' in \d+ ms, lost nothing$/m)
  await client.said(/answers from generation two/, 1)
  const { code, stdout } = await client.end('SIGINT')
  expect(code).toBe(0)
  expect(stdout.trim().split('\n').at(-1)).toMatch(
    /^\d+ answers from generation one, \d+ answers from generation two, 0 failed$/,
  )
})

test('cluster-queues: no client of a worker that computes waits, one that died has a successor, and SIGTERM drains', async () => {
  const port = await freePort()
  await using example = run('cluster-queues/server.js', [port, 2])
  await example.said(/listens on port/, 2)
  // Each request on a connection of its own.
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', port, path, agent: false }, (response) => resolve(text(response)))
      request.on('error', reject)
    })
  // The other worker gets the socket soon after both listen.
  let isSaid = false
  void example.said(/accepts for/, 1).then(() => {
    isSaid = true
  })
  while (!isSaid) {
    const busy = get('/busy')
    await Promise.all(Array.from({ length: 20 }, () => get('/')))
    await busy
  }
  await expect(get('/die')).rejects.toThrow('socket hang up')
  await example.said(/listens on port/, 3)
  await get('/')
  expect(await example.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' })
})

const command = '../dist/cli/main.js'
/** The program for all workers comes into force soon after they are ready. */
const SETTLES = { timeout: 20_000 }
const exampleOf = (name: string): string => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))

function ask(options: http.RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    http.get({ agent: false, ...options }, (response) => resolve(text(response))).on('error', reject)
  })
}

test('sessions: each client comes back to its worker', async () => {
  const port = await freePort()
  await using example = run(command, ['run', '-n', 3, '--steering', 'client', exampleOf('sessions.js'), port])
  await example.said(/3 workers on/, 1)
  const clients = Array.from({ length: 20 }, (_, index) => `127.0.0.${index + 10}`)
  const warm = () => Promise.all(clients.map((localAddress) => ask({ port, host: '127.0.0.1', localAddress })))
  const workers = (answers: readonly string[]) => answers.map((answer) => answer.split(' ').at(-1))
  let before = workers(await warm())
  await expect
    .poll(async () => {
      const now = workers(await warm())
      const isSettled = now.join() === before.join() && new Set(now).size === 3
      before = now
      return isSettled
    }, SETTLES)
    .toBe(true)
  for (let round = 0; round < 5; round++) expect(workers(await warm())).toEqual(before)
  expect(await example.end('SIGTERM')).toMatchObject({ code: 0 })
})

test('unix-path: all workers accept from one file, which goes with them', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-example-'))
  const socketPath = path.join(folder, 'app.sock')
  try {
    await using example = run(command, ['run', '-n', 2, exampleOf('unix-path.js'), socketPath])
    await example.said(/2 workers on/, 1)
    const pids = new Set<string>()
    await expect.poll(async () => pids.add(await ask({ socketPath })).size, { timeout: 20_000 }).toBe(2)
    expect(await example.end('SIGTERM')).toMatchObject({ code: 0 })
    expect(readdirSync(folder)).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('flows: a connection ID keeps its worker, whichever port it comes from', async () => {
  const port = await freeUdpPort()
  await using example = run(command, ['run', '-n', 3, '--datagram-steering', 'bytes:0:8', exampleOf('flows.js'), port])
  await example.said(/3 workers on/, 1)
  const ids = Array.from({ length: 20 }, (_, index) => `flow${String(index).padStart(4, '0')}`)
  const workers = async () => {
    const answers = await Promise.all(ids.map((id) => exchange(port, [`${id} hello`])))
    return answers.map(([answer]) => answer?.trim().split(' ').at(-1))
  }
  let before = await workers()
  await expect
    .poll(async () => {
      const now = await workers()
      const isSettled = now.join() === before.join() && new Set(now).size === 3
      before = now
      return isSettled
    }, SETTLES)
    .toBe(true)
  for (let round = 0; round < 5; round++) expect(await workers()).toEqual(before)
  expect(await example.end('SIGTERM')).toMatchObject({ code: 0 })
})
