// A custom server of Next.js on all cores. Without one, run Next.js itself:
//
//   npx reuseport run -n auto node_modules/next/dist/bin/next start --port 8080
//
//   npm install && npm run build
//   npx reuseport run -n auto server.js 8080
//
// A build replaces files that the workers still serve. So build the next release in a folder of its own, point a link at it
// (`ln -sfn`, `reuseport run --cwd current`) and `npx reuseport reload`.
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
