// Measures the time from the call to 'listening', of this library and of core by turns. Prints the medians of each
// round, in microseconds, as JSON. argv[2]: { rounds, times }.
import net from 'node:net'
import process from 'node:process'
import { capabilities, listenReusePort } from 'reuseport'
import { median } from './statistics.js'

const { rounds, times } = JSON.parse(process.argv[2] ?? '{}')
capabilities()

/** @type {Record<string, (server: net.Server) => unknown>} */
const competitors = {
  ours: (server) => listenReusePort(server, 0),
  core: (server) => server.listen(0),
  'core reusePort': (server) => server.listen({ port: 0, reusePort: true }),
}

/** @param {(server: net.Server) => unknown} listen */
async function once(listen) {
  const server = net.createServer()
  const listening = new Promise((resolve) => server.once('listening', () => resolve(performance.now())))
  const begun = performance.now()
  listen(server)
  const elapsed = (await listening) - begun
  await new Promise((resolve) => server.close(resolve))
  return elapsed * 1000
}

/** @type {Record<string, number>[]} */
const results = []
for (let round = 0; round <= rounds; round++) {
  /** @type {Record<string, number[]>} */
  const elapsed = Object.fromEntries(Object.keys(competitors).map((name) => [name, []]))
  for (let time = 0; time < times; time++) {
    for (const [name, listen] of Object.entries(competitors)) elapsed[name]?.push(await once(listen))
  }
  // The first round only warms up.
  if (round > 0) results.push(Object.fromEntries(Object.entries(elapsed).map(([name, all]) => [name, median(all)])))
}
console.log(JSON.stringify(results))
