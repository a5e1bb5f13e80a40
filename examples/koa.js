// A Koa application on all cores.
//
//   npx reuseport run -n auto examples/koa.js 8080
//   curl http://127.0.0.1:8080/
import process from 'node:process'
import Koa from 'koa'

const app = new Koa()

app.on('error', (error) => console.error(error))
app.use((context) => {
  context.body = { worker: process.pid }
})

app.listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
