// A process that sends gRPC calls: see soak/requests.js.
import grpc from '@grpc/grpc-js'
import { HELLO } from './grpc-service.js'
import { sendRequests, TIMEOUT } from './requests.js'

const Client = grpc.makeGenericClientConstructor(HELLO, 'Hello')
// Channels of one process share their connections unless they are told not to.
const OWN = { 'grpc.use_local_subchannel_pool': 1 }

sendRequests((port, keepsConnection) => {
  const open = () => new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), OWN)
  const kept = keepsConnection ? open() : undefined
  return {
    async request() {
      const client = kept ?? open()
      const failure = await call(client)
      if (client !== kept) client.close()
      return failure
    },
    end: () => kept?.close(),
  }
})

/** @type {(client: grpc.Client) => Promise<string | undefined>} */
function call(client) {
  const { path, requestSerialize, responseDeserialize } = HELLO.say
  return new Promise((resolve) => {
    const deadline = Date.now() + TIMEOUT
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, 'hello', { deadline }, (error, answer) => {
      if (error) resolve(`${grpc.status[error.code]}: ${error.details}`)
      else resolve(answer === 'hello' ? undefined : `answered '${answer}'`)
    })
  })
}
