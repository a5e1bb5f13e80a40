// What the processes that send requests have in common: each request is sent when the one before is answered. Half of the
// clients keep their connection, the others open one for each request. A message ends it. argv[2]: { port, width }
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/** @type {{ port: number, width: number }} */
const { port, width } = JSON.parse(process.argv[2] ?? '')

export const TIMEOUT = 10_000 // ms
const REFUSED = 50 // ms to the next request where nobody listens

/** @typedef {{ request: () => Promise<string | undefined>, end: () => void }} Client `request` resolves with the failure, if any. */

/** @param {(port: number, keepsConnection: boolean) => Client} connect */
export function sendRequests(connect) {
  let ending = false
  /** @type {{ total: number, failed: Record<string, number> }} */
  const counts = { total: 0, failed: {} }

  /** @type {(keepsConnection: boolean) => Promise<void>} */
  async function run(keepsConnection) {
    const client = connect(port, keepsConnection)
    while (!ending) {
      const failure = await client.request()
      counts.total++
      if (failure === undefined) continue
      if (failure === 'ECONNREFUSED') await sleep(REFUSED)
      const what = `${keepsConnection ? 'kept connection' : 'connection per request'}: ${failure}`
      counts.failed[what] = (counts.failed[what] ?? 0) + 1
    }
    client.end()
  }

  const running = Promise.all(Array.from({ length: width }, (_, index) => run(index % 2 === 0)))
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
}
