// Programs that close their servers themselves: under a supervisor they see what they see without one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const program = fileURLToPath(new URL('../fixtures/shuts-down.cjs', import.meta.url))

/** What a program prints that gets SIGTERM when it is ready. */
async function printed(command: readonly string[]): Promise<string> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (data) => {
    text += data
  })
  try {
    await expect.poll(() => text, { timeout: 20_000 }).toMatch(/^ready$/m)
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(child.exitCode).toBe(0)
  } finally {
    child.kill('SIGTERM')
  }
  return text
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
  const expected = await printed([process.execPath, program, kind, where])
  expect(Object.values(JSON.parse(expected.split('\n')[1] ?? ''))).toEqual(Array.from({ length: 5 }, () => ONCE))
  const run = [process.execPath, main, 'run', '-n', '1', ...options, program, kind, where]
  expect(await printed(run)).toBe(expected)
})
