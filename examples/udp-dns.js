// A DNS server on all cores, by UDP and TCP on one port. It answers each query by itself, so any worker will do, and a reload
// loses no datagram. It is small, not complete: A and TXT records of one zone, one question a query.
//
//   npx reuseport run -n auto examples/udp-dns.js 5353
//   dig @127.0.0.1 -p 5353 www.example.test
//   dig @127.0.0.1 -p 5353 worker.example.test TXT +tcp
import dgram from 'node:dgram'
import net from 'node:net'
import process from 'node:process'

const port = Number(process.argv[2] ?? 5353)
const TTL = 60 // s
const HEADER = 12 // bytes
const CLASS_IN = 1
const TYPES = /** @type {const} */ ({ A: 1, TXT: 16 })
const NAME_ERROR = 3
const NOT_IMPLEMENTED = 4

/** The data of records, by their type and name. @type {Map<string, Buffer>} */
const zone = new Map([
  [`${TYPES.A} www.example.test`, Buffer.from([192, 0, 2, 1])],
  [`${TYPES.A} mail.example.test`, Buffer.from([192, 0, 2, 2])],
  [`${TYPES.TXT} worker.example.test`, Buffer.from(`${String.fromCharCode(`${process.pid}`.length)}${process.pid}`)],
])

/** The answer to a query, or undefined where it is none. @type {(query: Buffer) => Buffer | undefined} */
function answer(query) {
  if (query.length < HEADER || (query[2] ?? 0) & 0x80 || query.readUInt16BE(4) !== 1) return undefined
  /** @type {string[]} */
  const labels = []
  let at = HEADER
  for (let length = query[at]; length !== 0; length = query[at]) {
    if (length === undefined || length > 63) return undefined
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase())
    at += 1 + length
  }
  at += 1
  if (at + 4 > query.length) return undefined
  const type = query.readUInt16BE(at)
  const name = labels.join('.')
  const data = query.readUInt16BE(at + 2) === CLASS_IN ? zone.get(`${type} ${name}`) : undefined
  const isQuery = ((query[2] ?? 0) & 0x78) === 0
  const isKnown = data !== undefined || [...zone.keys()].some((key) => key.endsWith(` ${name}`))
  const code = !isQuery ? NOT_IMPLEMENTED : isKnown ? 0 : NAME_ERROR
  const header = Buffer.alloc(HEADER)
  query.copy(header, 0, 0, 2)
  // An answer, authoritative; the client's "recursion desired" comes back.
  header[2] = 0x84 | ((query[2] ?? 0) & 0x79)
  header[3] = code
  header.writeUInt16BE(1, 4)
  const question = query.subarray(HEADER, at + 4)
  if (data === undefined || code !== 0) return Buffer.concat([header, question])
  header.writeUInt16BE(1, 6)
  const record = Buffer.alloc(12)
  record.writeUInt16BE(0xc000 | HEADER, 0) // the name: that of the question
  record.writeUInt16BE(type, 2)
  record.writeUInt16BE(CLASS_IN, 4)
  record.writeUInt32BE(TTL, 6)
  record.writeUInt16BE(data.length, 10)
  return Buffer.concat([header, question, record, data])
}

const udp = dgram.createSocket('udp4')
udp.on('message', (query, client) => {
  const reply = answer(query)
  if (reply) udp.send(reply, client.port, client.address, (error) => error && console.error(error.message))
})
udp.bind(port, '127.0.0.1')

const tcp = net.createServer((socket) => {
  let received = Buffer.alloc(0)
  socket.setTimeout(10_000, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (data) => {
    received = Buffer.concat([received, data])
    // Each message has its length in front. RFC 1035, 4.2.2
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const reply = answer(received.subarray(2, end))
      received = received.subarray(end)
      if (!reply) return socket.destroy()
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.write(Buffer.concat([length, reply]))
    }
  })
})
tcp.listen(port, '127.0.0.1')
