// An HTTPS server on all cores. Sessions resume whichever worker a client reaches, because all workers seal their tickets with
// the same keys. A reload brings a renewed certificate into use.
//
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -keyout key.pem -out cert.pem
//   npx reuseport run -n auto examples/https.js 8443 key.pem cert.pem
//   curl --insecure https://127.0.0.1:8443/
//   npx reuseport reload
import { readFileSync } from 'node:fs'
import https from 'node:https'
import process from 'node:process'

const [port = '8443', key = 'key.pem', cert = 'cert.pem'] = process.argv.slice(2)

https
  .createServer({ key: readFileSync(key), cert: readFileSync(cert) }, ({ socket }, response) => {
    const resumed = /** @type {import('node:tls').TLSSocket} */ (socket).isSessionReused()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ worker: process.pid, resumed }))
  })
  .listen(Number(port), '127.0.0.1')
