// How datagrams are spread over the processes of a port.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { chiSquare } from '../../demo/chi-square.js'
import { exchange } from '../support/datagrams.js'
import { type Program, start } from '../support/processes.js'

interface Joined {
  readonly pid: number
  readonly port: number
}

/** A fair kernel fails one run in a million. */
const SIGNIFICANCE = 1e-6
const SOURCES = 2000
const EACH = 3

function member(port: number, more: object = {}): Program {
  return start('datagram-member.mjs', [JSON.stringify({ port, address: '127.0.0.1', ...more })])
}

/** Each source sends its datagrams one after the other, `width` sources at a time: the answers by source. */
async function sendFromSources(port: number, host: string, width = 50): Promise<string[][]> {
  const answers: string[][] = []
  let next = 0
  async function sources(): Promise<void> {
    while (next < SOURCES) {
      const source = next++
      const messages = Array.from({ length: EACH }, (_, index) => `${source}:${index}`)
      answers[source] = await exchange(port, messages, host)
    }
  }
  await Promise.all(Array.from({ length: width }, sources))
  return answers
}

test.each([
  ['udp4', '127.0.0.1'],
  ['udp6', '::1'],
] as const)(
  '2,000 source ports over 4 processes: even, each at one process, no datagram twice or lost: %s',
  async (type, address) => {
    await using first = member(0, { type, address })
    const { pid, port } = await first.message<Joined>()
    await using second = member(port, { type, address })
    await using third = member(port, { type, address })
    await using fourth = member(port, { type, address })
    const members = [first, second, third, fourth]
    const joined = await Promise.all(members.slice(1).map((program) => program.message<Joined>()))
    const pids = [pid, ...joined.map((one) => one.pid)].map(String)

    const answers = await sendFromSources(port, address)
    for (const [source, own] of answers.entries()) expect(new Set(own).size, `source ${source}: ${own}`).toBe(1)
    const counts = pids.map((one) => answers.filter(([answer]) => answer === one).length)
    expect(counts.reduce((sum, count) => sum + count)).toBe(SOURCES)
    expect(chiSquare(counts).probability, `counts ${counts}`).toBeGreaterThan(SIGNIFICANCE)

    const received = await Promise.all(
      members.map((program) => {
        program.send({ tell: 'received' })
        return program.message<{ received: string[] }>()
      }),
    )
    const all = received.flatMap((one) => one.received)
    expect(all).toHaveLength(SOURCES * EACH)
    expect(new Set(all).size).toBe(SOURCES * EACH)
  },
)

const PYTHON = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(('127.0.0.1', int(sys.argv[1])))
print('bound', flush=True)
while True:
    _, client = s.recvfrom(64)
    s.sendto(b'python', client)
`

test('a process that is not ours shares the port, and gets its share', async () => {
  await using ours = member(0)
  const { pid, port } = await ours.message<Joined>()
  const python = spawn('python3', ['-c', PYTHON, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(python.stdout, 'data')
    const answers = (await sendFromSources(port, '127.0.0.1')).map(([answer]) => answer)
    const counts = [String(pid), 'python'].map((name) => answers.filter((answer) => answer === name).length)
    expect(counts.reduce((sum, count) => sum + count)).toBe(SOURCES)
    expect(chiSquare(counts).probability, `counts ${counts}`).toBeGreaterThan(SIGNIFICANCE)
  } finally {
    python.kill('SIGKILL')
  }
})
