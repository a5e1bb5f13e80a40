// A server that can be replaced without one lost connection: start the new one beside it, then send SIGTERM to this one.
// argv[2]: the port; argv[3]: a name for this generation.
import http from 'node:http'
import process from 'node:process'
import { drain, listenReusePort } from 'reuseport'

const [, , port = '8080', generation = 'one'] = process.argv

const server = http.createServer((_request, response) => response.end(`${generation}\n`))
server.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})
listenReusePort(server, { port, host: '127.0.0.1' }, () => {
  console.log(`generation ${generation} listens on port ${port}: process ${process.pid}`)
})

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    const { connectionsClosed, duration, lossless, method, reason } = await drain(server)
    const loss = lossless ? 'lost nothing' : `may have lost: ${reason}`
    console.log(`generation ${generation} left by '${method}' in ${duration.toFixed(0)} ms, ${loss}`)
    console.log(`${connectionsClosed} connections ended by themselves`)
    process.exit()
  })
}
