// A gRPC server on all cores. A worker that leaves sends GOAWAY: calls under way are finished, and a channel connects again for
// its next call. A channel has one connection and so one worker: many clients, or channels with
// `grpc.use_local_subchannel_pool`, spread over the workers.
//
//   npx reuseport run -n auto examples/grpc/server.js 50051
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const definition = loadSync(fileURLToPath(new URL('greeter.proto', import.meta.url)))
const { greeter } = grpc.loadPackageDefinition(definition)

const server = new grpc.Server()
server.addService(greeter.Greeter.service, {
  sayHello({ request }, answer) {
    answer(null, { text: `Hello ${request.name}`, worker: process.pid })
  },
  sayHellos(call) {
    const { name, times } = call.request
    for (let time = 1; time <= Math.min(times, 1000); time++) {
      call.write({ text: `Hello ${name}, ${time}`, worker: process.pid })
    }
    call.end()
  },
})

server.bindAsync(`127.0.0.1:${process.argv[2] ?? 50051}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
})

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.tryShutdown((error) => {
      if (error) console.error(error.message)
      process.exit(error ? 1 : 0)
    })
  })
}
