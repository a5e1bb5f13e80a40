// The scenarios of Node's own tests for `reusePort`: in one process, in a cluster, and in a parent and its child.
import net from 'node:net'
import { describe, expect, test } from 'vitest'
import { closed, core, IMPLEMENTATIONS, once, ours, portOf } from '../support/listeners.js'
import { start } from '../support/processes.js'
import { NODE_SHARES } from '../support/run.js'

/** Core as it is told to share; Node 20 cannot be told. */
const sharing = new Map([
  [core, { reusePort: true }],
  [ours, {}],
])

describe.each(IMPLEMENTATIONS)('%s', (_name, listen) => {
  test.for(['127.0.0.1', '::1', '::', undefined])('two servers of one process: %s', async (host, { skip }) => {
    if (listen === core && !NODE_SHARES) skip('this Node has no reusePort')
    const options = { ...(host === undefined ? {} : { host }), ...sharing.get(listen) }
    const [first, second] = [net.createServer(), net.createServer()]
    listen(first, { port: 0, ...options })
    await once(first, 'listening')
    listen(second, { port: portOf(first), ...options })
    await once(second, 'listening')
    expect(portOf(second)).toBe(portOf(first))
    await Promise.all([closed(first), closed(second)])
  })

  test('core and ours share one port, whichever comes first', async ({ skip }) => {
    if (!NODE_SHARES) skip('this Node has no reusePort')
    const other = listen === core ? ours : core
    const [first, second] = [net.createServer(), net.createServer()]
    listen(first, { port: 0, ...sharing.get(listen) })
    await once(first, 'listening')
    other(second, { port: portOf(first), ...sharing.get(other) })
    await once(second, 'listening')
    await Promise.all([closed(first), closed(second)])
  })
})

test('a listener that does not share keeps everybody else out, and the other way round', async () => {
  const shared = net.createServer()
  ours(shared, 0)
  await once(shared, 'listening')
  const plain = net.createServer()
  core(plain, portOf(shared))
  expect(await once(plain, 'error')).toMatchObject({ code: 'EADDRINUSE' })
  await closed(shared)
})

test('workers of a cluster listen on one port, and on the port of the process that started them', async () => {
  const outside = net.createServer()
  ours(outside, 0, '127.0.0.1')
  await once(outside, 'listening')
  const port = portOf(outside)
  await using program = start('cluster.mjs', [JSON.stringify({ by: 'ours', port, host: '127.0.0.1', workers: 2 })])
  const seen: unknown[] = []
  while (seen.length < 2) {
    const report = await program.message<{ event: string; address?: { port: number } }>()
    if (report.event === 'listening') seen.push(report.address?.port)
  }
  expect(seen).toEqual([port, port])
  await closed(outside)
})

test('a parent and its child process listen on one port', async () => {
  const parent = net.createServer()
  ours(parent, 0, '127.0.0.1')
  await once(parent, 'listening')
  await using child = start('member.mjs', [JSON.stringify({ port: portOf(parent), host: '127.0.0.1' })])
  expect(await child.message()).toMatchObject({ port: portOf(parent) })
  await closed(parent)
})
