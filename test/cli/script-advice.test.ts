// What is said of a script that is not there.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noScriptText } from '../../src/cli/script-advice.js'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reuseport-advice-'))
  for (const name of ['app/dist', 'app/sub/deep', 'node_modules/.bin', 'node_modules/next/dist', 'node_modules/shim'])
    mkdirSync(path.join(folder, name), { recursive: true })
  const files = {
    'app/dist/server.js': '',
    'app/other.mjs': '',
    'app/package.json': JSON.stringify({
      scripts: { start: 'next start', serve: 'node dist/server.js', dev: 'A=1 node a.js', odd: 'node --x a.js', no: 7 },
    }),
    'app/sub/package.json': '{',
    'node_modules/next/dist/next': '#!/usr/bin/env node\n',
    'node_modules/.bin/shim': '#!/bin/sh\n',
    'node_modules/shim/package.json': JSON.stringify({ bin: { shim: 'bin/shim.js' } }),
    'node_modules/.bin/unknown': '#!/bin/sh\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
  symlinkSync('../next/dist/next', path.join(folder, 'node_modules/.bin/next'))
  chmodSync(folder, 0o755)
})

afterAll(() => rmSync(folder, { recursive: true }))

const NPM = 'would start the program, and signals, reloads and ports would miss it: name the program itself'
const NEXT = "'next start': reuseport run ../node_modules/next/dist/next start"

test.each([
  ['nothing.js', [], 'script nothing.js in APP'],
  ['/nothing/at/all.js', [], 'script /nothing/at/all.js'],
  ['server.js', [], 'script server.js in APP: did you mean dist/server.js?'],
  ['server', [], 'script server in APP: did you mean dist/server.js?'],
  ['other.js', [], 'script other.js in APP: did you mean other.mjs?'],
  ['othr.mjs', [], 'script othr.mjs in APP: did you mean other.mjs?'],
  [
    'next',
    ['start', '-p', '80'],
    'script next in APP: it is a command, whose program is: reuseport run ../node_modules/next/dist/next start -p 80',
  ],
  ['shim', [], 'script shim in APP: it is a command, whose program is: reuseport run ../node_modules/shim/bin/shim.js'],
  ['unknown', ['start'], 'script unknown in APP'],
  ['node', ['dist/server.js', '3'], 'script node in APP: reuseport starts Node itself: reuseport run dist/server.js 3'],
  ['npm', ['start'], `script npm in APP: npm ${NPM}; start is ${NEXT}`],
  [
    'npm',
    ['run', 'serve'],
    `script npm in APP: npm ${NPM}; serve is 'node dist/server.js': reuseport run dist/server.js`,
  ],
  ['yarn', ['dev'], `script yarn in APP: yarn ${NPM}; dev is 'A=1 node a.js'`],
  ['yarn', ['odd'], `script yarn in APP: yarn ${NPM}; odd is 'node --x a.js'`],
  ['pnpm', ['no'], `script pnpm in APP: pnpm ${NPM}`],
  [
    'npx',
    ['next', 'start'],
    `script npx in APP: npx ${NPM}; it is a command, whose program is: reuseport run ../node_modules/next/dist/next start`,
  ],
  [
    '.',
    [],
    `program in the folder .: it has neither an index.js nor a "main" in its package.json; npm start is ${NEXT}`,
  ],
  [
    'sub',
    [],
    'program in the folder sub: it has neither an index.js nor a "main" in its package.json: name the script',
  ],
])('%s %j', (script, args, text) => {
  const app = path.join(folder, 'app')
  const said = noScriptText({ script, args, folder: app, here: app })
  expect(said.replaceAll(app, 'APP')).toBe(`There is no ${text}`)
})

test('a path that starts from another folder than the one of --cwd', () => {
  const app = path.join(folder, 'app')
  const said = noScriptText({ script: 'app/dist/server.js', args: [], folder: app, here: folder })
  expect(said).toBe(`There is no script app/dist/server.js in ${app} (--cwd): its path starts there: dist/server.js`)
})
