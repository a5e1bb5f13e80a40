// A process that shares the port by itself. argv[2]: how, argv[3]: the port. The same server as app.js.
import http from 'node:http'
import process from 'node:process'

const [, , how = '', text = ''] = process.argv
const port = Number(text)
const host = '127.0.0.1'
const answer = `${process.pid}`
const server = http.createServer((_request, response) => response.end(answer))

/** @type {Readonly<Record<string, () => unknown>>} */
const ways = {
  ours: async () => (await import('reuseport')).listenReusePort(server, { port, host }),
  core: () => server.listen({ port, host, reusePort: true }),
  plain: () => server.listen({ port, host }),
  async 'node-unix-socket'() {
    // The package is in a folder of its own, whose path the benchmark tells.
    const { createReuseportFd } = await import(process.env['BENCH_PACKAGE'] ?? '')
    server.listen({ fd: createReuseportFd(port, host) })
  },
}
await ways[how]?.()
process.on('disconnect', () => process.exit())
