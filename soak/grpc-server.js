// An unmodified gRPC server, for the soak test of reloads. argv[2]: the port. As the control, it shuts down at the first
// message.
import process from 'node:process'
import grpc from '@grpc/grpc-js'
import { HELLO } from './grpc-service.js'

const server = new grpc.Server()
server.addService(HELLO, {
  /** @type {grpc.handleUnaryCall<string, string>} */
  say: ({ request }, answer) => answer(null, request),
})
server.bindAsync(`0.0.0.0:${process.argv[2]}`, grpc.ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
  if (process.argv[3] === 'control') process.send?.({ listening: true })
})
if (process.argv[3] === 'control') process.once('message', () => server.tryShutdown(() => process.exit()))
