// Programs of examples/ whose packages are installed for them. One a day; all by `npm run test:examples`.
import http from 'node:http'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { expect, type TestContext, test } from 'vitest'
import { type Client, runExample, supervised } from '../support/example.js'
import { type Asked, httpClients } from '../support/example-clients.js'
import { installedExample, prepare } from '../support/installed-example.js'
import { freePort } from '../support/listeners.js'

/** The packages are downloaded first. */
const TIMES = { timeout: 600_000 }

async function runInstalled(folder: string, script: string, asked: Asked = {}, more: readonly (() => Client)[] = []) {
  const port = await freePort()
  const clients = [...httpClients(port, asked), ...more]
  await runExample({ ...supervised(path.join(folder, script), [port]), cwd: folder, clients })
}

let nestBuilt: Promise<void> | undefined

for (const main of ['main-express', 'main-fastify']) {
  test(`nestjs: ${main}`, TIMES, async (context) => {
    const folder = await installedExample('nestjs', context)
    nestBuilt ??= prepare(folder, 'typescript/bin/tsc', [])
    await nestBuilt
    await runInstalled(folder, `dist/${main}.js`)
  })
}

test('apollo', TIMES, async (context) => {
  const folder = await installedExample('apollo', context)
  await runInstalled(folder, 'server.js', {
    path: '/graphql',
    body: { query: 'query ($name: String!) { worker hello(name: $name) }', variables: { name: 'you' } },
    worker(answer) {
      const { data } = answer as { data: { worker: number; hello: string } }
      expect(data.hello).toBe('Hello you')
      return data.worker
    },
  })
})

/** What is used here of @trpc/client. */
interface Trpc {
  createTRPCClient(options: object): {
    worker: { query(): Promise<number> }
    hello: { mutate(name: string): Promise<{ text: string; worker: number }> }
  }
  httpBatchLink(options: object): unknown
}

/** Reads an event stream to its end, and connects again. */
const eventStream = (port: number, path: string) => (): Client => ({
  async ask() {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get({ host: '127.0.0.1', port, path, agent: false }, resolve).on('error', reject)
    })
    // Rejects where the connection is cut off before the stream has ended.
    return Number(/"worker":(\d+)/.exec(await text(response))?.[1])
  },
})

test('trpc: queries and mutations in batches, and subscriptions', TIMES, async (context) => {
  const folder = await installedExample('trpc', context)
  const entry = pathToFileURL(path.join(folder, 'node_modules/@trpc/client/dist/index.mjs')).href
  const { createTRPCClient, httpBatchLink } = (await import(entry)) as Trpc
  const port = await freePort()
  const client = createTRPCClient({ links: [httpBatchLink({ url: `http://127.0.0.1:${port}` })] })
  const batch = (): Client => ({
    async ask() {
      const [worker, hello] = await Promise.all([client.worker.query(), client.hello.mutate('you')])
      expect(hello.text).toBe('Hello you')
      return worker
    },
  })
  const worker = (answer: unknown) => (answer as { result: { data: number } }).result.data
  const clients = [...httpClients(port, { path: '/worker', worker }), batch, eventStream(port, '/ticks')]
  const script = path.join(folder, 'server.js')
  await runExample({ ...supervised(script, [port], ['--drain-timeout', '2s']), cwd: folder, clients })
})

const NEXT = 'next/dist/bin/next'
let nextBuilt: Promise<void> | undefined

async function builtNext(context: TestContext): Promise<string> {
  const folder = await installedExample('nextjs', context)
  nextBuilt ??= prepare(folder, NEXT, ['build'])
  await nextBuilt
  return folder
}

test('nextjs: a page and a route', TIMES, async (context) => {
  const folder = await builtNext(context)
  const port = await freePort()
  // React puts a comment between two texts.
  const page = (answer: unknown) => Number(/worker (?:<!-- -->)?(\d+)/.exec(String(answer))?.[1])
  const clients = [...httpClients(port, { path: '/api/worker' }), ...httpClients(port, { read: text, worker: page })]
  await runExample({ ...supervised(path.join(folder, 'server.js'), [port]), cwd: folder, clients })
})

test('nextjs: without a server of its own', TIMES, async (context) => {
  const folder = await builtNext(context)
  const port = await freePort()
  const script = path.join(folder, 'node_modules', NEXT)
  const args = ['start', '--port', port, '--hostname', '127.0.0.1']
  await runExample({ ...supervised(script, args), cwd: folder, clients: httpClients(port, { path: '/api/worker' }) })
})
