// Programs of examples/ that speak other protocols than HTTP, with the packages that are there anyway.
import { once } from 'node:events'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { io } from 'socket.io-client'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Client, exampleFile, runExample, supervised } from '../support/example.js'
import { freePort } from '../support/listeners.js'

const TIMES = { timeout: 120_000 }
/** WebSockets have no end of their own. */
const SHORT_DRAIN = ['--drain-timeout', '2s', '--balance', 'connections']

/** The next message, or undefined where the connection is closed first. */
function messageOf(socket: WebSocket): Promise<string | undefined> {
  return new Promise((resolve) => {
    const onClose = () => resolve(undefined)
    socket.once('close', onClose)
    socket.once('message', (data) => {
      socket.off('close', onClose)
      resolve(String(data))
    })
  })
}

test('ws.js: kept WebSockets are closed in order, and their clients connect again', TIMES, async () => {
  const port = await freePort()
  const codes: number[] = []
  const client = (isKept: boolean) => (): Client => {
    let socket: WebSocket | undefined
    async function open(): Promise<WebSocket> {
      const opened = new WebSocket(`ws://127.0.0.1:${port}`)
      opened.on('close', (code) => {
        if (isKept) codes.push(code)
        if (socket === opened) socket = undefined
      })
      await once(opened, 'open')
      return opened
    }
    return {
      async ask() {
        for (;;) {
          socket ??= await open()
          const used = socket
          used.send('hello')
          const answer = await messageOf(used)
          // What a client has sent meanwhile it sends anew.
          if (answer === undefined) continue
          const { worker, echo } = JSON.parse(answer)
          expect(echo).toBe('hello')
          if (!isKept) {
            used.close()
            socket = undefined
          }
          return worker
        }
      },
      end: () => socket?.close(),
    }
  }
  await runExample({ ...supervised('ws.js', [port], SHORT_DRAIN), clients: [client(true), client(false)] })
  expect(codes).toContain(1001)
  expect(codes.filter((code) => code !== 1001 && code !== 1005)).toEqual([])
})

test('socket-io.js: clients connect again, and their acknowledgements come', TIMES, async () => {
  const port = await freePort()
  const client = (isKept: boolean) => (): Client => {
    const connect = () =>
      io(`http://127.0.0.1:${port}`, {
        transports: ['websocket'],
        forceNew: true,
        reconnectionDelay: 10,
        // Sends anew what was not acknowledged on a connection that was closed.
        retries: 5,
        ackTimeout: 2000,
      })
    let socket: ReturnType<typeof connect> | undefined
    let failed: Promise<never>
    return {
      async ask() {
        if (socket === undefined) {
          const opened = connect()
          failed = new Promise((_, reject) => opened.on('connect_error', reject))
          failed.catch(() => {})
          socket = opened
        }
        const { worker, echo } = await Promise.race([socket.emitWithAck('echo', 'hello'), failed])
        expect(echo).toBe('hello')
        if (!isKept) {
          socket.close()
          socket = undefined
        }
        return worker
      },
      end: () => socket?.close(),
    }
  }
  await runExample({ ...supervised('socket-io.js', [port], SHORT_DRAIN), clients: [client(true), client(false)] })
})

interface Greeter extends grpc.Client {
  sayHello(request: object, answer: (error: unknown, reply: { text: string; worker: number }) => void): void
  sayHellos(request: object): grpc.ClientReadableStream<{ text: string; worker: number }>
}

test('grpc: unary calls and streams', TIMES, async () => {
  const port = await freePort()
  const loaded = grpc.loadPackageDefinition(loadSync(exampleFile('grpc/greeter.proto'))) as unknown as {
    greeter: { Greeter: new (address: string, credentials: grpc.ChannelCredentials, options: object) => Greeter }
  }
  const open = () =>
    new loaded.greeter.Greeter(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    })
  const hello = (greeter: Greeter): Promise<number> =>
    new Promise((resolve, reject) => {
      greeter.sayHello({ name: 'you' }, (error, reply) => (error ? reject(error) : resolve(reply.worker)))
    })
  const hellos = async (greeter: Greeter): Promise<number> => {
    const replies = (await greeter.sayHellos({ name: 'you', times: 20 }).toArray()) as {
      text: string
      worker: number
    }[]
    expect(replies.map(({ text }) => text)).toEqual(replies.map((_, index) => `Hello you, ${index + 1}`))
    expect(replies.length).toBe(20)
    return replies[0]?.worker ?? 0
  }
  const clients = [hello, hellos].flatMap((call) => [
    (): Client => {
      const greeter = open()
      return { ask: () => call(greeter), end: () => greeter.close() }
    },
    (): Client => ({
      async ask() {
        const greeter = open()
        try {
          return await call(greeter)
        } finally {
          greeter.close()
        }
      },
    }),
  ])
  await runExample({ ...supervised('grpc/server.js', [port]), clients })
})
