// The units of examples/ as far as they go without systemd: its own check, and the times and the command in them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { expect, test } from 'vitest'
import { exampleFile, runExample } from '../support/example.js'
import { httpClients } from '../support/example-clients.js'
import { freePort } from '../support/listeners.js'

const service = readFileSync(exampleFile('systemd/server.service'), 'utf8')
const settingOf = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(service)?.[1] ?? ''
/** Without the paths of a machine. */
const args = settingOf('ExecStart').split(' ').slice(2)

test('systemd takes the units', ({ skip }) => {
  const about = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' })
  if (about.error) skip(`systemd-analyze is not there: ${about.error.message}`)
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-example-'))
  try {
    const files = ['server.service', 'server.socket'].map((name) => {
      const file = path.join(folder, name)
      writeFileSync(
        file,
        readFileSync(exampleFile(`systemd/${name}`), 'utf8').replaceAll('/usr/bin/node', process.execPath),
      )
      return file
    })
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
      encoding: 'utf8',
    })
    // Of other units of this machine it says what it likes.
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => line.includes(folder) || /^server\./.test(line))
    expect(lines).toEqual([])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('systemd waits longer than the drain takes, and 5 s for the end of the program', () => {
  expect(args).not.toContain('--drain-timeout')
  expect(Number(settingOf('TimeoutStopSec'))).toBeGreaterThan(10 + 5)
})

test('its command runs', { timeout: 120_000 }, async () => {
  const port = await freePort()
  await runExample({
    args: [path.join(import.meta.dirname, '../../dist/cli/main.js'), ...args],
    cwd: exampleFile('docker'),
    env: { PORT: String(port) },
    ready: /(\d+) workers? on /,
    reloaded: /generation 2 serves/,
    clients: httpClients(port),
  })
})
