// Which options of Node workers get, and where they are inspected.
import { describe, expect, test } from 'vitest'
import {
  acceptedByThread,
  inspectPort,
  isInspected,
  ofThread,
  optionsIn,
  runningScript,
} from '../../src/supervisor/node-options.js'

describe('options that keep Node from running a script are left out', () => {
  test.each([
    ['-e code', ''],
    ['-e code --no-warnings', '--no-warnings'],
    ['--eval code', ''],
    ['--eval=code -r a', '-r a'],
    ['-p code', ''],
    ['-p --eval code', ''],
    ['-pe code', ''],
    ['--print', ''],
    ['--input-type=module --eval code', ''],
    ['--input-type module --eval code', ''],
    ['--test --no-warnings', '--no-warnings'],
    ['-c --watch -i', ''],
    ['--watch-path a --run b --trace-exit', '--trace-exit'],
    ['--require ./e.js --conditions=print', '--require ./e.js --conditions=print'],
  ])('%s: %s', (given, left) => {
    expect(runningScript(given.split(' '))).toEqual(left.split(' ').filter(Boolean))
  })
})

describe('inspectors', () => {
  const port = (options: string, own: string, count = 1): string =>
    inspectPort(options.split(' '), own.split(' '), 9229, count).join(' ')

  test.each(['--inspect', '--inspect-brk', '--inspect-wait', '--inspect=0.0.0.0:9229', '--inspect-port=9229'])(
    'as the supervisor has it, %s: the next port',
    (option) => {
      expect(isInspected([option])).toBe(true)
      expect(port(option, option)).toBe('--inspect-port=9230')
      expect(port(option, option, 3)).toBe('--inspect-port=9232')
    },
  )

  test.each([
    ['--inspect=9300', '--inspect-port=9300', '--inspect-port=9301'],
    ['--inspect-brk=[::1]:9300', '--inspect-port=9300', '--inspect-port=9301'],
    ['--inspect=localhost', '--inspect-port=9230', '--inspect-port=9231'],
    ['--inspect=0', '', ''],
    ['--no-warnings', '', ''],
    ['--inspector-of-mine=9300', '', ''],
  ])('for workers only, %s', (option, first, second) => {
    expect(port(option, '--trace-exit')).toBe(first)
    expect(port(option, '--trace-exit', 2)).toBe(second)
  })

  test('after the last port comes the first that needs no privilege', () => {
    expect(inspectPort(['--inspect'], ['--inspect'], 65_534, 1)).toEqual(['--inspect-port=65535'])
    expect(inspectPort(['--inspect'], ['--inspect'], 65_535, 1)).toEqual(['--inspect-port=1024'])
  })
})

test('NODE_OPTIONS', () => {
  expect(optionsIn(' --inspect=9300   -r a ')).toEqual(['--inspect=9300', '-r', 'a'])
  expect(optionsIn(undefined)).toEqual([])
})

describe('threads', () => {
  test('are inspected with their process', () => {
    expect(ofThread(['--inspect=1', '--no-warnings', '--inspect-port=2'])).toEqual(['--no-warnings'])
  })

  const refusal = 'Initiated Worker with invalid execArgv flags: --title, --max-old-space-size=99'
  const options = ['--title', 'x', '--no-warnings', '--max-old-space-size=99']

  test('do without the options of the whole process, which hold for them too', () => {
    expect(acceptedByThread(options, refusal, options)).toEqual(['--no-warnings'])
  })

  test('what somebody wants for them alone is refused', () => {
    expect(acceptedByThread(options, refusal, ['--title', 'x'])).toBe(undefined)
    expect(acceptedByThread(options, 'another reason', options)).toBe(undefined)
  })
})
