// A deploy by a link, as docs/guides/zero-downtime-deploys.md describes it: the command lies outside of the releases.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { reuseport } from '../support/command.js'
import { freePort } from '../support/listeners.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, agent: false }, (response) => resolve(text(response))).on('error', reject)
  })
}

test('a reload runs what the link leads to, also when the release of the start is gone, and no request fails', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-deploy-'))
  const release = (name: string): void => {
    mkdirSync(path.join(folder, name))
    const program = `require('node:http').createServer((_, response) => response.end('${name}')).listen(${port})`
    writeFileSync(path.join(folder, name, 'server.cjs'), program)
    symlinkSync(name, path.join(folder, 'next'))
    renameSync(path.join(folder, 'next'), path.join(folder, 'current'))
  }
  const port = await freePort()
  try {
    release('one')
    const current = path.join(folder, 'current')
    await using command = reuseport(['run', '-n', '2', '--cwd', current, 'server.cjs'])
    await command.said(/2 workers on/)
    expect(await ask(port)).toBe('one')
    let ends = false
    const answers = new Set<string>()
    const clients = Array.from({ length: 4 }, async () => {
      while (!ends) answers.add(await ask(port))
    })
    for (const [name, old] of [
      ['two', 'one'],
      ['three', 'two'],
    ] as const) {
      release(name)
      // Not by execFileSync: clients that stand still are idle for the drain.
      await promisify(execFile)(process.execPath, [main, 'reload', String(command.child.pid)])
      rmSync(path.join(folder, old), { recursive: true })
      expect(await ask(port)).toBe(name)
    }
    ends = true
    await Promise.all(clients)
    expect([...answers]).toEqual(['one', 'two', 'three'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
