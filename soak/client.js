// The load of the soak test of drain(), as a process of its own: connects as fast as the machine can, until a message
// ends it. argv[2]: { targets: [{ name, hosts, port, kind, width }], timeout }
import net from 'node:net'
import process from 'node:process'

/** @typedef {{ name: string, hosts: string[], port: number, kind: 'listen' | 'ask', width: number }} Target */
/** @type {{ targets: Target[], timeout: number }} */
const { targets, timeout } = JSON.parse(process.argv[2] ?? '')

const SLOW = 900 // ms: the kernel repeats a lost SYN after a second

let ending = false
/** @type {Record<string, { total: number, slow: number, failed: Record<string, number> }>} */
const counts = Object.fromEntries(targets.map(({ name }) => [name, { total: 0, slow: 0, failed: {} }]))

/** @type {(target: Target, host: string) => Promise<string | undefined>} the failure, if any */
function connect({ port, kind }, host) {
  return new Promise((resolve) => {
    let said = ''
    const socket = net.connect({ port, host })
    const timer = setTimeout(() => done(`no answer in ${timeout} ms`), timeout)
    /** @type {(failure?: string) => void} */
    function done(failure) {
      clearTimeout(timer)
      // A reset leaves no TIME_WAIT, which would soon occupy every local port.
      socket.resetAndDestroy()
      resolve(failure)
    }
    if (kind === 'ask') socket.write('?')
    socket.setEncoding('utf8').on('data', (text) => {
      said += text
      if (kind === 'listen' && said === 'hello ') done()
    })
    socket.on('end', () => done(said === 'hello ?' ? undefined : `ended after '${said}'`))
    socket.on('error', (error) => done('code' in error ? String(error.code) : error.message))
  })
}

/** @type {(target: Target) => Promise<void>} */
async function run(target) {
  const count = /** @type {{ total: number, slow: number, failed: Record<string, number> }} */ (counts[target.name])
  for (let turn = 0; !ending; turn++) {
    const host = target.hosts[turn % target.hosts.length] ?? ''
    const begun = performance.now()
    const failure = await connect(target, host)
    count.total++
    if (failure !== undefined) count.failed[failure] = (count.failed[failure] ?? 0) + 1
    else if (performance.now() - begun > SLOW) count.slow++
  }
}

const running = Promise.all(targets.flatMap((target) => Array.from({ length: target.width }, () => run(target))))
const telling = setInterval(() => process.send?.({ counts }), 200)
process.once('message', async () => {
  ending = true
  await running
  clearInterval(telling)
  process.send?.({ counts, done: true }, () => process.disconnect())
})
