import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { chiSquare } from '../../demo/chi-square.js'
import { ask, tally } from '../support/clients.js'
import { type Program, start } from '../support/processes.js'

interface Joined {
  readonly pid: number
  readonly port: number
}

/** A fair kernel fails one run in a million; one that gives a member of four a fifth more than its share fails nearly each. */
const SIGNIFICANCE = 1e-6
const CONNECTIONS = 4000

function member(port: number, more: object = {}): Program {
  return start('member.mjs', [JSON.stringify({ port, host: '127.0.0.1', ...more })])
}

test('the kernel spreads connections evenly over 4 processes', async () => {
  await using first = member(0)
  const { pid, port } = await first.message<Joined>()
  await using second = member(port)
  await using third = member(port)
  await using fourth = member(port)
  const joined = await Promise.all([second, third, fourth].map((program) => program.message<Joined>()))
  const pids = [pid, ...joined.map((member) => member.pid)]

  const counts = await tally(port, CONNECTIONS)
  expect([...counts.keys()].sort()).toEqual(pids.map(String).sort())
  const { probability } = chiSquare([...counts.values()])
  expect(probability, `counts ${[...counts.values()]}`).toBeGreaterThan(SIGNIFICANCE)
})

test('a process that is not ours shares the port, and gets its share', async (context) => {
  const script = fileURLToPath(new URL('../fixtures/member.py', import.meta.url))
  await using ours = member(0)
  const { pid, port } = await ours.message<Joined>()
  const python = spawn('python3', [script, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const started = await Promise.race([once(python.stdout, 'data'), once(python, 'error').then(() => 'missing')])
    if (started === 'missing') context.skip('python3 is not installed')
    const counts = await tally(port, CONNECTIONS)
    expect([...counts.keys()].sort()).toEqual([String(pid), 'python'].sort())
    const { probability } = chiSquare([...counts.values()])
    expect(probability, `counts ${[...counts.values()]}`).toBeGreaterThan(SIGNIFICANCE)
  } finally {
    python.kill('SIGKILL')
  }
})

test('a member that leaves gets no more connections', async () => {
  await using first = member(0)
  const { pid, port } = await first.message<Joined>()
  await using second = member(port)
  await second.message<Joined>()
  second.send({ leave: true })
  await second.exited
  expect([...(await tally(port, 200)).entries()]).toEqual([[String(pid), 200]])
})

test('another user cannot join the group', async (context) => {
  if (process.getuid?.() !== 0) context.skip('changing the user takes root')
  await using first = member(0)
  const { pid, port } = await first.message<Joined>()
  await using stranger = member(port, { uid: 65534 })
  expect(await stranger.message()).toEqual({
    error: {
      code: 'EADDRINUSE',
      errno: -98,
      syscall: 'listen',
      address: '127.0.0.1',
      message: `listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
    },
  })
  expect(await ask(port)).toBe(String(pid))
})

test('an ordinary user shares a port with its own processes', async (context) => {
  if (process.getuid?.() !== 0) context.skip('changing the user takes root; every other test has shown it already')
  await using first = member(0, { uid: 65534 })
  const { port } = await first.message<Joined>()
  await using second = member(port, { uid: 65534 })
  expect(await second.message()).toMatchObject({ port })
})
