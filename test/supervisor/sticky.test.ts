// Clients that stay with their worker, as what needs it: Socket.IO in its default transports, polling and then WebSocket.
import http from 'node:http'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { io, type Socket } from 'socket.io-client'
import { expect, test } from 'vitest'
import { Supervisor } from '../../dist/supervisor.js'
import { freePort } from '../support/listeners.js'
import { type Supervised, supervise } from '../support/supervisors.js'

const program = fileURLToPath(new URL('../fixtures/socket-io.cjs', import.meta.url))
const CLIENTS = 200

interface Client {
  readonly socket: Socket
  readonly errors: string[]
  /** The workers that it was connected to, in their order. */
  readonly workers: number[]
}

async function connect(port: number, at: number): Promise<Client> {
  const localAddress = `127.0.1.${at + 1}`
  const agent = new http.Agent({ localAddress, keepAlive: false } as http.AgentOptions)
  const socket = io(`http://127.0.0.1:${port}`, {
    forceNew: true,
    reconnectionDelay: 20,
    reconnectionDelayMax: 100,
    // Types of the browser; in Node it is an agent of its http.
    agent: agent as unknown as string,
  })
  const client: Client = { socket, errors: [], workers: [] }
  socket.on('connect_error', ({ message }) => client.errors.push(message))
  // The answer of a worker that is killed never comes.
  socket.on('connect', () => socket.emit('who', (pid: number) => client.workers.push(pid)))
  await expect.poll(() => client.workers.length, { timeout: 20_000 }).toBe(1)
  return client
}

/** Connected, by WebSocket. */
async function allConnected(clients: readonly Client[]): Promise<void> {
  await expect
    .poll(
      () => clients.filter(({ socket }) => socket.connected && socket.io.engine.transport.name === 'websocket').length,
      {
        timeout: 30_000,
      },
    )
    .toBe(clients.length)
}

/** The pid of the worker of this client. */
function ask(port: number, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1', localAddress: `127.0.2.${at + 1}`, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (data) => {
          text += data
        })
        response.on('end', () => resolve(Number.parseInt(JSON.parse(text).me, 10)))
      })
      .on('error', reject)
  })
}

/** Waits until the policy is in force for so many workers; the workers of 32 clients. */
async function settled(port: number, workers: number): Promise<readonly number[]> {
  const all = Array.from({ length: 32 }, (_, at) => at)
  let pids: readonly number[] = []
  await expect
    .poll(async () => {
      const before = pids
      pids = await Promise.all(all.map((at) => ask(port, at)))
      // By the hash, two rounds would not be the same.
      return new Set(pids).size === workers && pids.every((pid, at) => pid === before[at])
    })
    .toBe(true)
  return pids
}

function slotOf({ supervisor }: Supervised, pid: number): number | undefined {
  return supervisor.workers.find((worker) => worker.pid === pid)?.slot
}

test('200 clients of Socket.IO, two reloads and a kill: no errors but of those of the killed worker', {
  timeout: 100_000,
}, async () => {
  const port = await freePort()
  await using one = supervise(
    {},
    { script: program, args: [String(port)], workers: 3, drainTimeout: 2000, steering: 'client' },
  )
  const { supervisor } = one
  await supervisor.start()
  await settled(port, 3)
  const clients: Client[] = []
  try {
    clients.push(...(await Promise.all(Array.from({ length: CLIENTS }, (_, at) => connect(port, at)))))
    await allConnected(clients)
    const slots = clients.map(({ workers }) => slotOf(one, workers[0] as number))
    expect(new Set(slots).size).toBe(3)
    for (let reload = 1; reload <= 2; reload++) {
      await supervisor.reload()
      await expect
        .poll(() => clients.filter(({ workers }) => slotOf(one, workers.at(-1) as number) === undefined).length, {
          timeout: 30_000,
        })
        .toBe(0)
      await allConnected(clients)
      expect(clients.map(({ workers }) => slotOf(one, workers.at(-1) as number))).toEqual(slots)
    }
    expect(clients.flatMap(({ errors }) => errors)).toEqual([])

    const [first] = clients
    const killed = first?.workers.at(-1) as number
    const others = clients.filter(({ workers }) => workers.at(-1) !== killed)
    process.kill(killed, 'SIGKILL')
    await expect.poll(() => first?.workers.at(-1), { timeout: 30_000 }).not.toBe(killed)
    await expect.poll(() => supervisor.workers.filter(({ state }) => state === 'ready').length).toBe(3)
    await allConnected(clients)
    expect(others.length).toBeLessThan(CLIENTS)
    expect(others.flatMap(({ errors }) => errors)).toEqual([])
    // Once at the start, and once after each reload.
    expect(new Set(others.map(({ workers }) => workers.length))).toEqual(new Set([3]))
  } finally {
    for (const { socket } of clients) socket.disconnect()
  }
})

test('a worker that is stopped keeps its clients: nobody joins its queue', async () => {
  const port = await freePort()
  await using one = supervise({ how: 'plain', port }, { workers: 2, steering: 'client' })
  const { supervisor } = one
  await supervisor.start()
  const before = await settled(port, 2)
  const stopped = before[0] as number
  process.kill(stopped, 'SIGSTOP')
  try {
    let hasAnswer = false
    const answers = before.flatMap((pid, at) => (pid === stopped ? [ask(port, at)] : []))
    void Promise.race(answers).then(() => {
      hasAnswer = true
    })
    // A guest would have answered within some milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(hasAnswer).toBe(false)
    process.kill(stopped, 'SIGCONT')
    expect(new Set(await Promise.all(answers))).toEqual(new Set([stopped]))
  } finally {
    process.kill(stopped, 'SIGCONT')
  }
})

test('balance cannot be together with it', () => {
  const both = { script: program, steering: 'client', balance: 'connections' } as const
  expect(() => new Supervisor(both)).toThrow("undefined where 'steering' is 'client'")
})
