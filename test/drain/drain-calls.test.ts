// What a drain, and a policy that is kept, asks of the kernel: counted by strace(1).
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const fixture = fileURLToPath(new URL('../fixtures/calls.mjs', import.meta.url))

function whyNoStrace(): string | undefined {
  const { status, error, stderr } = spawnSync('strace', ['-o', '/dev/null', 'true'], { encoding: 'utf8' })
  return status === 0 ? undefined : `strace cannot be used here: ${error?.message ?? stderr}`
}

/** The changes of a group's program, in their order. */
function changes(what: string): readonly string[] {
  const { status, stderr } = spawnSync(
    'strace',
    ['-f', '-qq', '-e', 'trace=setsockopt,listen', '-e', 'signal=none', process.execPath, fixture, what],
    { encoding: 'utf8' },
  )
  expect(status, stderr).toBe(0)
  const lines = stderr.split('\n')
  // Before there is a group, capabilities() tries a program on a socket of its own.
  return lines
    .slice(lines.findIndex((line) => line.includes('listen(')))
    .filter((line) => /SO_(ATTACH|DETACH)_REUSEPORT/.test(line))
    .map((line) => (line.includes('SO_ATTACH') ? 'attach' : 'detach'))
}

const reason = whyNoStrace()

test('a drain changes the program three times: to probe, to steer away, and back', (context) => {
  if (reason !== undefined) context.skip(reason)
  expect(changes('drain')).toEqual(['attach', 'attach', 'detach'])
})

test('a policy is attached when it is asked for, once more for each who comes, and not while nothing changes', (context) => {
  if (reason !== undefined) context.skip(reason)
  expect(changes('steer')).toEqual(['attach'])
  expect(changes('join')).toEqual(['attach', 'attach'])
})
