// A custom server of Next.js on all cores.
//
//   npm install && npm run build
//   npx reuseport run -n auto server.js 8080
//
// After another `npm run build`, `npx reuseport reload` brings it into use.
import http from 'node:http'
import process from 'node:process'
import next from 'next'

const port = Number(process.argv[2] ?? 8080)
const hostname = '127.0.0.1'
const app = next({ dev: false, hostname, port })

await app.prepare()
const handle = app.getRequestHandler()

http
  .createServer(async (request, response) => {
    try {
      await handle(request, response)
    } catch (error) {
      console.error(error)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    }
  })
  .listen(port, hostname)
