// Requests as fast as the machine gives, half of them on connections of their own, until Ctrl-C: who answered, what failed.
// argv[2]: the port.
import http from 'node:http'
import process from 'node:process'

const port = Number(process.argv[2] ?? 8080)
/** @type {Map<string, number>} */
const answers = new Map()
let failed = 0
let ending = false

/** @type {(agent: http.Agent | false) => Promise<string>} */
function request(agent) {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, agent }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (part) => {
          body += part
        })
        response.on('end', () => resolve(body.trim())).on('error', reject)
      })
      .on('error', reject)
  })
}

/** @type {(agent: http.Agent | false) => Promise<void>} */
async function run(agent) {
  while (!ending) {
    try {
      const name = await request(agent)
      answers.set(name, (answers.get(name) ?? 0) + 1)
    } catch (error) {
      failed++
      console.log(error instanceof Error ? error.message : error)
    }
  }
}

function report() {
  const counts = [...answers].map(([name, count]) => `${count} answers from generation ${name}`)
  console.log(`${counts.join(', ')}, ${failed} failed`)
}

process.once('SIGINT', () => {
  ending = true
})
const telling = setInterval(report, 1000)
const kept = new http.Agent({ keepAlive: true })
await Promise.all([...Array(4).fill(kept), ...Array(4).fill(false)].map(run))
clearInterval(telling)
report()
kept.destroy()
