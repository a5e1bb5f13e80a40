// A Fastify application on all cores. `app.close()` at SIGTERM runs its onClose hooks: its servers have been drained by then.
//
//   npx reuseport run -n auto examples/fastify.js 8080
//   curl http://127.0.0.1:8080/
import process from 'node:process'
import fastify from 'fastify'

const app = fastify({ logger: { level: 'warn' } })

app.get('/', async () => ({ worker: process.pid }))
app.addHook('onClose', async () => {
  // Databases and the like are closed here.
})

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => app.close())

await app.listen({ port: Number(process.argv[2] ?? 8080), host: '127.0.0.1' })
