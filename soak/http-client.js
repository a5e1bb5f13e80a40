// A process that sends each request when the one before is answered: half of the `width` clients keep their connection,
// the others open one for each request. A message ends it. argv[2]: { port, width }
import http from 'node:http'
import process from 'node:process'

/** @type {{ port: number, width: number }} */
const { port, width } = JSON.parse(process.argv[2] ?? '')

const TIMEOUT = 10_000 // ms
let ending = false
/** @type {{ total: number, failed: Record<string, number> }} */
const counts = { total: 0, failed: {} }

/** @type {(agent: http.Agent | false) => Promise<string | undefined>} the failure, if any */
function request(agent) {
  return new Promise((resolve) => {
    const asked = http.get({ port, host: '127.0.0.1', agent, timeout: TIMEOUT }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data) => {
        text += data
      })
      response.on('end', () => resolve(text === 'hello' ? undefined : `answered '${text}'`))
      response.on('error', (error) => resolve(String(error)))
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${TIMEOUT} ms`)))
    asked.on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
  })
}

/** @type {(kind: 'kept' | 'own') => Promise<void>} */
async function run(kind) {
  const agent = kind === 'kept' ? new http.Agent({ keepAlive: true, maxSockets: 1 }) : false
  while (!ending) {
    const failure = await request(agent)
    counts.total++
    if (failure === undefined) continue
    const what = `${kind === 'kept' ? 'kept connection' : 'connection per request'}: ${failure}`
    counts.failed[what] = (counts.failed[what] ?? 0) + 1
  }
  if (agent) agent.destroy()
}

const running = Promise.all(Array.from({ length: width }, (_, index) => run(index % 2 === 0 ? 'kept' : 'own')))
process.on('message', async (message) => {
  if (message !== 'end') {
    process.send?.(counts)
    return
  }
  ending = true
  await running
  process.send?.(counts)
  process.disconnect()
})
process.send?.('running')
