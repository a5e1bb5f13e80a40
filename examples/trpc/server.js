// A tRPC server on all cores, by its adapter for node:http. Queries, mutations and batches are ordinary requests. A subscription is
// an event stream, which a worker that leaves ends: the client's httpSubscriptionLink connects again by itself.
//
//   npm install
//   npx reuseport run -n auto server.js 8080
//   curl http://127.0.0.1:8080/worker
import process from 'node:process'
import { initTRPC } from '@trpc/server'
import { createHTTPServer } from '@trpc/server/adapters/standalone'

const { procedure, router } = initTRPC.create()

/** @type {(input: unknown) => string} */
const toName = (input) => {
  if (typeof input !== 'string' || input.length > 100) throw new Error('the input must be a name')
  return input
}

export const appRouter = router({
  worker: procedure.query(() => process.pid),
  hello: procedure.input(toName).mutation(({ input }) => ({ text: `Hello ${input}`, worker: process.pid })),
  ticks: procedure.subscription(async function* ({ signal }) {
    for (let tick = 0; !signal?.aborted; tick++) {
      yield { tick, worker: process.pid }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }),
})

createHTTPServer({
  router: appRouter,
  onError: ({ error }) => console.error(error.message),
}).listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
