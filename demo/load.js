import http from 'node:http'

/**
 * One request on a connection of its own.
 *
 * @param {number} port
 * @returns {Promise<string>} the body
 */
function request(port) {
  return new Promise((resolve, reject) => {
    const sent = http.get({ host: '127.0.0.1', port, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part) => {
        body += part
      })
      response.on('end', () => resolve(body)).on('error', reject)
    })
    sent.on('error', reject)
  })
}

/** @typedef {{ answered: Map<string, number>, failed: Map<string, number>, total: number }} Outcome */

/**
 * Keeps `width` requests under way until `more` returns false. `more` gets the number of requests so far.
 *
 * @param {number} port
 * @param {number} width
 * @param {(begun: number) => boolean} more
 * @param {(outcome: Outcome) => void} [tell] called after each answer
 * @returns {Promise<Outcome>}
 */
export async function load(port, width, more, tell) {
  /** @type {Outcome} */
  const outcome = { answered: new Map(), failed: new Map(), total: 0 }
  let begun = 0
  const client = async () => {
    while (more(begun)) {
      begun++
      try {
        add(outcome.answered, await request(port))
      } catch (error) {
        add(outcome.failed, error instanceof Error && 'code' in error ? String(error.code) : String(error))
      }
      outcome.total++
      tell?.(outcome)
    }
  }
  await Promise.all(Array.from({ length: width }, client))
  return outcome
}

/** @type {(counts: Map<string, number>, key: string) => void} */
function add(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
