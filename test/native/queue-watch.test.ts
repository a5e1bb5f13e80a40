// The watch of accept queues, with listeners of this process from which nobody accepts.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acceptQueueOf } from '../../src/native/accept-queue.js'
import { loadAddon } from '../../src/native/addon.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { QueueWatch } from '../../src/native/queue-watch.js'
import { serverDescriptor } from '../../src/node/adopt.js'
import { once, portOf } from '../support/listeners.js'
import { openListener } from '../support/native.js'
import { start } from '../support/processes.js'

const state = loadAddon()
if (!state.loaded) throw state.cause
const addon: Addon = state.addon
const binary = state.binary as string

const clients = new Set<net.Socket>()
const listeners = new Set<number>()
let told: number[]
let before: number

const descriptors = (): number => readdirSync('/proc/self/fd').length
const threads = (): string[] => readdirSync('/proc/self/task')

function listen(): { fd: number; port: number } {
  const fd = openListener(addon, { family: 4, address: '127.0.0.1', port: 0 }) as number
  listeners.add(fd)
  return { fd, port: (addon.localAddress(fd) as { port: number }).port }
}

async function connect(port: number): Promise<net.Socket> {
  const client = net.connect(port, '127.0.0.1').on('error', () => {})
  clients.add(client)
  await new Promise((resolve) => client.once('connect', resolve))
  return client
}

function open(): QueueWatch {
  const watch = QueueWatch.open((fd) => told.push(fd))
  if (!(watch instanceof QueueWatch)) throw new Error('no watch')
  return watch
}

beforeEach(() => {
  told = []
  before = descriptors()
})

afterEach(async () => {
  for (const client of clients) client.destroy()
  clients.clear()
  for (const fd of listeners) addon.close(fd)
  listeners.clear()
  await expect.poll(descriptors).toBe(before)
})

test('a queue that stands is told once each time it was armed', async () => {
  const { fd, port } = listen()
  const watch = open()
  expect(watch.arm(fd, 1)).toBeUndefined()
  await connect(port)
  await expect.poll(() => told).toEqual([fd])
  await connect(port)
  expect(watch.arm(fd, 1)).toBeUndefined()
  await expect.poll(() => told).toEqual([fd, fd])
  // What comes after it was told is no reason to tell it again: the other queue, whose turn comes later, is.
  const other = listen()
  await connect(port)
  watch.arm(other.fd, 1)
  await connect(other.port)
  await expect.poll(() => told).toEqual([fd, fd, other.fd])
  watch.close()
})

test('of many queues each one that stands', async () => {
  const watch = open()
  const all = Array.from({ length: 150 }, listen)
  for (const { fd } of all) watch.arm(fd, 1)
  for (const { port } of all.filter((_, index) => index % 2 === 0)) await connect(port)
  const standing = all.filter((_, index) => index % 2 === 0).map(({ fd }) => fd)
  await expect.poll(() => told.toSorted((a, b) => a - b)).toEqual(standing.toSorted((a, b) => a - b))
  watch.close()
})

test('a queue that is emptied within the patience is not told', async () => {
  const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const fd = serverDescriptor(server) as number
  // Without QueueWatch, which would look itself.
  const watch = addon.openQueueWatch() as number
  const numbers = new net.Socket({ fd: watch, readable: true, writable: false })
  addon.release(watch)
  numbers.on('data', (bytes) => told.push(...new Int32Array(Uint8Array.from(bytes).buffer)))
  addon.setArmed(watch, fd, 1000)
  await connect(portOf(server))
  // One thread: it looks at this queue, which stands, when it has looked at the other.
  const { fd: standing, port } = listen()
  addon.setArmed(watch, standing, 1000)
  await connect(port)
  await expect.poll(() => told).toEqual([standing])
  addon.endQueueWatch(watch)
  numbers.destroy()
  server.close()
})

test('each queue has a patience of its own, also when it is armed again while it waits', async () => {
  const [patient, other] = [listen(), listen()]
  const watch = open()
  watch.arm(patient.fd, 1000)
  await connect(patient.port)
  await pause(20)
  watch.arm(other.fd, 1)
  await connect(other.port)
  await expect.poll(() => told).toEqual([other.fd])
  watch.arm(patient.fd, 1)
  await expect.poll(() => told).toEqual([other.fd, patient.fd])
  watch.close()
})

test('a queue from which connections are accepted does not stand, although others wait', async () => {
  const { fd, port } = listen()
  for (let count = 0; count < 40; count++) await connect(port)
  const watch = open()
  const accepts = `import socket, time
listener = socket.socket(fileno=3)
print('ready', flush=True)
for _ in range(30):
    time.sleep(0.05)
    listener.accept()`
  const child = spawn('python3', ['-c', accepts], { stdio: ['ignore', 'pipe', 'inherit', fd] })
  await new Promise((resolve) => child.stdout?.once('data', resolve))
  watch.arm(fd, 1000)
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
  // That took more than a second.
  expect(told).toEqual([])
  await expect.poll(() => told, { timeout: 10_000 }).toEqual([fd])
  watch.close()
})

test('after disarm and close nothing is told', async () => {
  const [first, second, last] = [listen(), listen(), listen()]
  const watch = open()
  const other = open()
  watch.arm(first.fd, 1)
  other.arm(second.fd, 1)
  for (const { port } of [first, second]) await connect(port)
  // In the same turn as they were told at the latest: what was read before has run.
  watch.disarm(first.fd)
  other.close()
  told.length = 0
  watch.arm(last.fd, 1)
  await connect(last.port)
  await expect.poll(() => told).toEqual([last.fd])
  watch.disarm(last.fd)
  watch.disarm(last.fd)
  watch.close()
})

test('a number that is given to another listener is that listener', async () => {
  const watch = open()
  const first = listen()
  watch.arm(first.fd, 1)
  await connect(first.port)
  watch.disarm(first.fd)
  addon.close(first.fd)
  // What was told before is read, and was disarmed.
  await pause(20)
  told.length = 0
  const second = listen()
  expect(second.fd).toBe(first.fd)
  watch.arm(second.fd, 1)
  await pause(20)
  expect(told).toEqual([])
  await connect(second.port)
  await expect.poll(() => told).toEqual([second.fd])
  watch.close()
})

test('what cannot be armed is a failure', () => {
  const watch = open()
  expect(watch.arm(1_000_000, 1)).toMatchObject({ errno: -9, syscall: 'epoll_ctl' })
  watch.close()
  expect(watch.arm(0, 1)).toMatchObject({ errno: -9, syscall: 'epoll_ctl' })
  watch.close()
  for (const patience of [-1, 1.5, 1001]) expect(() => watch.arm(0, patience)).toThrow(TypeError)
})

test('it keeps no process alive', () => {
  const active = process.getActiveResourcesInfo()
  const watch = open()
  expect(process.getActiveResourcesInfo()).toEqual(active)
  watch.close()
})

test('the thread does not wake up while nothing happens, also after it had work', async () => {
  const others = new Set(threads())
  const { fd, port } = listen()
  const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const watch = QueueWatch.open((stands) => {
    told.push(stands)
    // On a busy machine the server may be late, too.
    if (stands !== fd) watch.arm(stands, 1)
  }) as QueueWatch
  const [thread] = threads().filter((one) => !others.has(one)) as [string]
  const switches = (): number => {
    const status = readFileSync(`/proc/self/task/${thread}/status`, 'latin1')
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
  }
  for (const one of [fd, serverDescriptor(server) as number]) watch.arm(one, 1)
  for (const wanted of [port, portOf(server), portOf(server)]) {
    const at = switches()
    await connect(wanted)
    await expect.poll(switches).toBeGreaterThan(at)
  }
  await expect.poll(() => told).toContain(fd)
  await pause(50)
  const idle = switches()
  await pause(500)
  expect(switches()).toBe(idle)
  watch.close()
  server.close()
  expect(threads()).not.toContain(thread)
})

test('a thousand watches, one after the other and at once, leave nothing', () => {
  const count = threads().length
  const { fd } = listen()
  for (let round = 0; round < 1000; round++) {
    const watch = open()
    watch.arm(fd, 1)
    watch.close()
  }
  const many = Array.from({ length: 50 }, () => open())
  for (const watch of many) watch.arm(fd, 1)
  for (const watch of many) watch.close()
  expect(threads().length).toBeLessThanOrEqual(count)
  addon.close(fd)
})

describe('a thread that is terminated with an open watch', () => {
  const WORK = {
    'before it is read': '',
    'while it is read': 'new net.Socket({ fd: watch, readable: true, writable: false }); addon.release(watch)',
    'while its queue stands': `const fd = ${'addon.openSocket({ transport: "tcp", family: 4, ipv6Only: false, multipath: false })'}
      addon.bind(fd, 4, '127.0.0.1', 0); addon.listen(fd, 8); addon.setArmed(watch, fd, 1)
      net.connect(addon.localAddress(fd).port, '127.0.0.1')
      setInterval(() => addon.setArmed(watch, fd, 1), 1)`,
    'while it opens and ends them': 'for (;;) { addon.endQueueWatch(watch); addon.openQueueWatch() }',
  }

  test.each(Object.entries(WORK))('%s', async (_when, work) => {
    const count = threads().length
    for (let round = 0; round < 10; round++) {
      const worker = new Worker(
        `const addon = require(${JSON.stringify(binary)}); const net = require('node:net')
        const watch = addon.openQueueWatch()
        require('node:worker_threads').parentPort.postMessage('ready')
        setInterval(() => {}, 1000)
        ${work}`,
        { eval: true },
      )
      await new Promise((resolve) => worker.once('message', resolve))
      await pause(round % 4)
      await worker.terminate()
    }
    await expect.poll(() => threads().length).toBeLessThanOrEqual(count)
  })
})

test('a process that stops, goes on, starts others and ends with an open watch', async () => {
  await using program = start('queue-watch.cjs', [binary])
  const { pid } = program.child
  for (let round = 0; round < 3; round++) {
    expect(await program.message()).toBe('idle')
    program.child.kill('SIGSTOP')
    await expect.poll(() => readFileSync(`/proc/${pid}/status`, 'latin1')).toMatch(/^State:\s+T/m)
    program.child.kill('SIGCONT')
    program.send({})
    expect(await program.message()).toBe('told')
  }
  expect(await program.exited).toMatchObject({ code: 0, signal: null, stderr: '' })
})

test('an accept queue is told with its limit', async () => {
  const { fd, port } = listen()
  expect(acceptQueueOf(fd)).toEqual({ waiting: 0, limit: 511 })
  await connect(port)
  await connect(port)
  await expect.poll(() => acceptQueueOf(fd)).toEqual({ waiting: 2, limit: 511 })
  expect(addon.listen(fd, 7)).toBeUndefined()
  expect(acceptQueueOf(fd)).toEqual({ waiting: 2, limit: 7 })
  expect(acceptQueueOf(0)).toBeUndefined()
})
