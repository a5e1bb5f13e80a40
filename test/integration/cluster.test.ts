import { once } from 'node:events'
import net from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '../support/listeners.js'
import { type Program, start } from '../support/processes.js'
import { listenersOn } from '../support/sockets.js'

interface Report {
  readonly event: string
  readonly worker: number
  readonly [key: string]: unknown
}

type By = 'core' | 'ours'

function startCluster(by: By, port: number, more: object = {}): Program {
  return start('cluster.mjs', [JSON.stringify({ by, port, workers: 1, host: '127.0.0.1', ...more })])
}

/** The next reports up to and with the one of this name. */
async function upTo(program: Program, event: string): Promise<Report[]> {
  const reports: Report[] = []
  do reports.push(await program.message<Report>())
  while (reports.at(-1)?.event !== event)
  return reports
}

function said(reports: readonly Report[], key: string): unknown {
  return reports.find((report) => report.event === 'said' && key in report)?.[key]
}

/** What a worker and its primary report is sent over one channel each: their order between both is left open. */
function inOrder(reports: readonly Report[]): unknown {
  return reports.filter(({ event }) => event !== 'said').map(({ event, worker, ...rest }) => [event, rest])
}

test.each([['net'], ['http'], ['https']])('the life of a %s worker is what it is with core', async (kind) => {
  for (const host of ['127.0.0.1', '::1', 'localhost', undefined]) {
    const lives: Record<string, unknown> = {}
    for (const by of ['core', 'ours'] as const) {
      const port = await freePort()
      await using program = startCluster(by, port, { kind, host })
      const begun = await upTo(program, 'listening')
      const address = begun.at(-1)?.['address'] as object
      program.send({ act: 'disconnect', worker: 1 })
      const ended = await upTo(program, 'exit')
      lives[by] = [{ ...address, port: Reflect.get(address, 'port') === port }, inOrder(ended)]
      expect(begun.at(-1)?.['state']).toBe('listening')
    }
    expect(lives['ours']).toEqual(lives['core'])
  }
})

test('the listener stays in the worker: the primary has none, each worker has one', async () => {
  const port = await freePort()
  await using program = startCluster('ours', port, { workers: 3 })
  for (let worker = 0; worker < 3; worker++) await upTo(program, 'listening')
  expect(listenersOn(port)).toHaveLength(3)
})

test('worker.state changes in the worker when it does with core', async () => {
  for (const [host, expected] of [
    [undefined, 'listening'],
    ['127.0.0.1', 'online'],
  ]) {
    for (const by of ['core', 'ours'] as const) {
      await using program = startCluster(by, await freePort(), { host })
      const reports = await upTo(program, 'listening')
      while (said(reports, 'state') === undefined) reports.push(await program.message<Report>())
      // With a host, Node registers the listener after the lookup, behind the program's own.
      expect(said(reports, 'state'), by).toBe(expected)
    }
  }
})

test.each(['core', 'ours'] as const)(
  'disconnect waits for the connections, by the primary and by the worker: %s',
  async (by) => {
    for (const act of ['disconnect', 'disconnect yourself']) {
      const port = await freePort()
      await using program = startCluster(by, port)
      await upTo(program, 'listening')
      const client = net.connect(port, '127.0.0.1').on('error', () => {})
      await once(client, 'data')
      program.send({ act, worker: 1 })
      while (listenersOn(port).length > 0) await new Promise((resolve) => setImmediate(resolve))

      // The server has closed and the worker is still connected: its client keeps both.
      const refused = net.connect(port, '127.0.0.1')
      const [error] = await once(refused, 'error')
      expect(error).toMatchObject({ code: 'ECONNREFUSED' })
      client.destroy()
      const reports = await upTo(program, 'exit')
      expect(reports.map(({ event }) => event).filter((event) => event !== 'said')).toEqual(['disconnect', 'exit'])
      expect(reports.find(({ event }) => event === 'disconnect')).toMatchObject({ after: true })
      expect(reports.at(-1)).toMatchObject({ code: 0, signal: null })
    }
  },
)

test('the worker ends when its primary is killed', async () => {
  const port = await freePort()
  const program = startCluster('ours', port)
  const reports = await upTo(program, 'listening')
  expect(reports.at(-1)).toMatchObject({ state: 'listening' })
  program.send({ act: 'die' })
  await program.exited
  while (listenersOn(port).length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await expect(once(net.connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('kill() ends the worker without waiting', async () => {
  await using program = startCluster('ours', 0)
  await upTo(program, 'listening')
  program.send({ act: 'kill', worker: 1 })
  expect((await upTo(program, 'exit')).at(-1)).toMatchObject({ worker: 1 })
})

test('a worker closes and listens again', async () => {
  const port = await freePort()
  await using program = startCluster('ours', port)
  await upTo(program, 'listening')
  program.send({ act: 'close and listen again', worker: 1 })
  await upTo(program, 'listening')
  expect(listenersOn(port)).toHaveLength(1)
  program.send({ act: 'disconnect', worker: 1 })
  expect((await upTo(program, 'exit')).at(-1)).toMatchObject({ code: 0, signal: null })
})

test('a taken port is an error of the worker', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  await using program = startCluster('ours', (taken.address() as net.AddressInfo).port)
  expect(said(await upTo(program, 'said'), 'code')).toBe('EADDRINUSE')
  taken.close()
})
