// Two workers as `reuseport run` starts them, whose supervisor is this test: one stands still, the other is its guest.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { waitingConnections } from '../../src/native/accept-queue.js'
import { isEnvelope, toEnvelope } from '../../src/supervisor/messages.js'
import type { FromWorker, Listening, ToWorker, WorkerConfiguration } from '../../src/supervisor/protocol.js'
import { answering } from '../support/answering-addon.js'
import { freePort } from '../support/listeners.js'
import { script } from '../support/supervisors.js'

const REGISTER = new URL('../../dist/register.js', import.meta.url)
const CLIENTS = 16
const addon = answering({})

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Worker {
  readonly child: ChildProcess
  readonly heard: FromWorker[]
  listening(): Promise<{ readonly message: Listening; readonly handle: { readonly fd: number } }>
  send(message: ToWorker, handle?: object): void
}

function worker(name: string, setting: string): Worker {
  const child = fork(script, [setting], {
    execArgv: ['--import', REGISTER.href],
    env: { ...process.env, REUSEPORT_WORKER_FD: '4', REUSEPORT_WORKER_REGISTER: REGISTER.href },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
  })
  const exited = once(child, 'exit')
  ends.push(() => {
    child.kill('SIGKILL')
    return exited
  })
  const configuration: WorkerConfiguration = {
    worker: name,
    sockets: [],
    ports: [],
    datagramPorts: [],
    isShared: false,
    steering: undefined,
    balance: undefined,
    ticketKeys: Buffer.alloc(48).toString('base64'),
    grace: 50,
    drainTimeout: 20_000,
  }
  ;(child.stdio[4] as Writable).end(JSON.stringify(configuration))
  const heard: FromWorker[] = []
  let socket: unknown
  ;(child as NodeJS.EventEmitter).on('internalMessage', (message: unknown, handle: unknown) => {
    if (!isEnvelope(message)) return
    heard.push(message['body'] as FromWorker)
    socket ??= handle
  })
  return {
    child,
    heard,
    async listening() {
      await expect.poll(() => socket, { timeout: 20_000 }).toBeDefined()
      const message = heard.find(({ type }) => type === 'listening') as Listening
      return { message, handle: socket as { readonly fd: number } }
    },
    send: (message, handle) => void child.send(toEnvelope(message), handle as net.Socket | undefined),
  }
}

/** A client, and what it has heard. */
function client(port: number): { readonly socket: net.Socket; text: string } {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {})
  const one = { socket, text: '' }
  socket.on('data', (text) => {
    one.text += text
  })
  ends.push(() => socket.destroy())
  return one
}

test('the queue of a worker that stands still is served by its guest, which drains these connections as its own', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-guests-'))
  ends.push(() => rmSync(folder, { recursive: true }))
  const setting = path.join(folder, 'setting.json')
  const port = await freePort()
  writeFileSync(setting, JSON.stringify({ how: 'answers when asked', port }))
  const [standing, idle] = [worker('1.1', setting), worker('1.2', setting)]
  const [queue, own] = [await standing.listening(), await idle.listening()]
  standing.child.kill('SIGSTOP')
  const clients = Array.from({ length: CLIENTS }, () => client(port))
  await Promise.all(clients.map(({ socket }) => once(socket, 'connect')))
  const waiting = (): unknown => waitingConnections(addon, queue.handle.fd)
  await expect.poll(() => clients.filter(({ text }) => text !== '').length).toBe(CLIENTS - Number(waiting()))
  const left = Number(waiting())
  expect(left).toBeGreaterThan(0)

  const { id, wish } = queue.message
  idle.send({ type: 'join', id, wish }, queue.handle)
  await expect.poll(() => idle.heard).toContainEqual({ type: 'joined', id, isTaken: true })
  await expect.poll(() => clients.map(({ text }) => text)).toEqual(Array(CLIENTS).fill(`${idle.child.pid}\n`))

  idle.send({ type: 'leave', kept: [own.message.id], signal: 'SIGTERM' })
  await expect.poll(() => idle.heard).toContainEqual({ type: 'parted', id })
  const visits = idle.heard.flatMap((message) => (message.type === 'visits' ? message.ended : []))
  expect(visits.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(left)
  // It is no guest any more, and its own socket waits for a successor.
  await expect.poll(() => idle.heard).toContainEqual({ type: 'closed', id: own.message.id })
  idle.send({ type: 'join', id, wish }, queue.handle)
  await expect.poll(() => idle.heard).toContainEqual({ type: 'joined', id, isTaken: false })
  expect(idle.heard.some(({ type }) => type === 'left')).toBe(false)
  for (const { socket } of clients) socket.write('go on')
  await expect.poll(() => clients.every(({ text }) => text.endsWith('finished'))).toBe(true)
  await expect.poll(() => idle.heard).toContainEqual({ type: 'left', lossless: true })
  await expect.poll(() => idle.child.signalCode).toBe('SIGTERM')
})
