import { expect, test } from 'vitest'
import { isRequirable, requiring, requiringInText } from '../../src/supervisor/preload-options.js'

const toFile = (specifier: string): string | undefined =>
  ['reuseport/register', './a register.js', 'a"\\b'].includes(specifier) ? '/p/a "b\\' : undefined
const FILE = '/p/a "b\\'

test.each([
  ['20.18.3', false],
  ['20.19.0', true],
  ['20.20.2', true],
  ['21.7.3', false],
  ['22.0.0', false],
  ['22.12.0', false],
  ['22.13.0', true],
  ['23.11.0', false],
  ['24.0.0', true],
  ['26.10.0', true],
])('Node %s loads the preload by --require without a warning: %s', (version, can) => {
  expect(isRequirable(version, ['--inspect'], true)).toBe(can)
  expect(isRequirable(version, ['--inspect'], false)).toBe(false)
  expect(isRequirable(version, ['--no-experimental-require-module'], true)).toBe(false)
  expect(isRequirable(version, ['--no-require-module'], true)).toBe(false)
})

test.each([
  [
    ['--import', 'reuseport/register'],
    ['--require', FILE],
  ],
  [
    ['--import=reuseport/register', '--inspect'],
    ['--require', FILE, '--inspect'],
  ],
  [
    ['--import', 'tsx', '--import', './a register.js'],
    ['--import', 'tsx', '--require', FILE],
  ],
  [['--import=tsx'], ['--import=tsx']],
  [['--import'], ['--import']],
  [
    ['--require', 'reuseport/register'],
    ['--require', 'reuseport/register'],
  ],
])('%j becomes %j', (options, expected) => {
  expect(requiring(options, toFile)).toEqual(expected)
})

test.each([
  ['--import reuseport/register', '--require "/p/a \\"b\\\\"'],
  ['--inspect --import=reuseport/register --trace-gc', '--inspect --require "/p/a \\"b\\\\" --trace-gc'],
  ['--import "./a register.js"', '--require "/p/a \\"b\\\\"'],
  ['--import "a\\"\\\\b"', '--require "/p/a \\"b\\\\"'],
  ['--import   tsx', '--import   tsx'],
  ['--title="--import reuseport/register"', '--title="--import reuseport/register"'],
  ['', ''],
])('NODE_OPTIONS %j becomes %j', (text, expected) => {
  expect(requiringInText(text, toFile)).toBe(expected)
})
