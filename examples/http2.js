// An HTTP/2 server on all cores, which speaks HTTP/1.1 with clients that know nothing newer. A worker that leaves sends GOAWAY:
// its clients finish what they have begun and connect again. A request that crosses with the GOAWAY is refused before it has
// begun (REFUSED_STREAM), and clients send it again: browsers and gRPC do so by themselves, a client by node:http2 has to.
//
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem
//   npx reuseport run -n auto examples/http2.js 8443 key.pem cert.pem
//   curl --insecure --http2 https://127.0.0.1:8443/
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import process from 'node:process'

const [port = '8443', key = 'key.pem', cert = 'cert.pem'] = process.argv.slice(2)
const options = { key: readFileSync(key), cert: readFileSync(cert), allowHTTP1: true }

http2
  .createSecureServer(options, (request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ worker: process.pid, version: request.httpVersion }))
  })
  // A client that breaks off in the handshake is none of the server's errors.
  .on('tlsClientError', ({ message }) => console.error(message))
  .listen(Number(port), '127.0.0.1')
