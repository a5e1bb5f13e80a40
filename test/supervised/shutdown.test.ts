// Programs that close their servers themselves: under a supervisor they see what they see without one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const libraries = fileURLToPath(new URL('../fixtures/graceful.cjs', import.meta.url))
const program = fileURLToPath(new URL('../fixtures/shuts-down.cjs', import.meta.url))

interface End {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How a program ends that gets SIGTERM when it is ready. */
async function ended(args: readonly string[]): Promise<End> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (data) => {
      output[name] += data
    })
  }
  try {
    await expect.poll(() => output.stdout, { timeout: 20_000 }).toMatch(/^ready$/m)
    child.kill('SIGTERM')
    await once(child, 'close')
  } finally {
    child.kill('SIGKILL')
  }
  return { ...output, code: child.exitCode, signal: child.signalCode }
}

const ONCE = ['close', 'closed', 'close', 'ERR_SERVER_NOT_RUNNING']

test.each([
  ['http', 'here', []],
  ['net', 'here', []],
  ['http2', 'here', []],
  ['http', 'here', ['--threads']],
  ['http', 'here', ['--one-socket']],
  ['http', 'cluster', []],
  ['http', 'thread', []],
] as const)('closes %s servers %s: once with success, then not %j', async (kind, where, options) => {
  const plain = await ended([program, kind, where])
  expect(Object.values(JSON.parse(plain.stdout.split('\n')[1] ?? ''))).toEqual(Array.from({ length: 5 }, () => ONCE))
  const { stdout } = await ended([main, 'run', '-n', '1', ...options, program, kind, where])
  expect(stdout).toBe(plain.stdout)
})

test.each(['@godaddy/terminus', 'close-with-grace', 'http-graceful-shutdown', 'http-terminator', 'next', 'stoppable'])(
  '%s shuts down as under plain Node',
  async (library) => {
    const { stdout, code, signal } = await ended([libraries, library])
    expect(stdout).toMatch(/closed/)
    const run = await ended([main, 'run', '-n', '1', '--json', libraries, library])
    expect(run.stdout).toBe(stdout)
    const lines = run.stderr.split('\n').filter((line) => line.startsWith('{'))
    const exit = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'worker:exit')?.exit
    expect(exit).toEqual({ code, signal, isExpected: true, cause: 'told' })
  },
)
