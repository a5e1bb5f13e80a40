// A gRPC service with one unary call, which answers what it is sent. The messages are plain text: no .proto file.
const serialize = (/** @type {string} */ text) => Buffer.from(text)
const deserialize = (/** @type {Buffer} */ bytes) => bytes.toString()

export const HELLO = {
  say: {
    path: '/soak.Hello/Say',
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  },
}
