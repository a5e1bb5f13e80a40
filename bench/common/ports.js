import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A port of 127.0.0.1 that nobody has at this moment. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** The body of an answer; undefined where there is none. @param {number} port @returns {Promise<string | undefined>} */
async function ask(port) {
  try {
    const request = http.get({ port, host: '127.0.0.1', agent: false, timeout: 2000 })
    request.on('timeout', () => request.destroy())
    const [response] = await once(request, 'response')
    let text = ''
    for await (const part of response.setEncoding('utf8')) text += part
    return text
  } catch {
    return undefined
  }
}

/**
 * Waits until so many workers have answered on this port: each answers with its process id.
 *
 * @param {number} port
 * @param {number} workers
 * @param {{ milliseconds?: number, failure?: () => string | undefined }} [setting] `failure`: why there is no use in waiting.
 */
export async function untilServed(port, workers, { milliseconds = 20_000, failure = () => undefined } = {}) {
  /** @type {Set<string>} */
  const seen = new Set()
  const end = performance.now() + milliseconds
  while (seen.size < workers) {
    const why = failure()
    if (why !== undefined) throw new Error(why)
    if (performance.now() > end)
      throw new Error(`${seen.size} of ${workers} workers answer after ${milliseconds / 1000} s`)
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(port)))
    for (const answer of answers) if (answer !== undefined) seen.add(answer)
    if (seen.size < workers) await sleep(20)
  }
  return [...seen].map(Number)
}
