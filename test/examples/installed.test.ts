// Programs of examples/ whose packages are installed for them. One a day; all by `npm run test:examples`.
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
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
    ticks: { subscribe(input: undefined, on: object): { unsubscribe(): void } }
  }
  httpBatchLink(options: object): unknown
}

test('trpc: queries and mutations in batches', TIMES, async (context) => {
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
  const clients = [...httpClients(port, { path: '/worker', worker }), batch]
  await runExample({ ...supervised(path.join(folder, 'server.js'), [port]), cwd: folder, clients })
})

test('nextjs: a page and a route', TIMES, async (context) => {
  const folder = await installedExample('nextjs', context)
  await prepare(folder, 'next/dist/bin/next', ['build'])
  await runInstalled(folder, 'server.js', { path: '/api/worker' })
})
