// A Hono application on all cores, by its server for Node.
//
//   npx reuseport run -n auto examples/hono.js 8080
//   curl http://127.0.0.1:8080/
import process from 'node:process'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()

app.get('/', (context) => context.json({ worker: process.pid }))
app.onError((error, context) => {
  console.error(error)
  return context.text('the request could not be answered', 500)
})

serve({ fetch: app.fetch, port: Number(process.argv[2] ?? 8080), hostname: '127.0.0.1' })
