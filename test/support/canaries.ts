// Clients of test/fixtures/canary.cjs.
import http from 'node:http'
import { fileURLToPath } from 'node:url'

export const script = fileURLToPath(new URL('../fixtures/canary.cjs', import.meta.url))

export interface Answers {
  readonly right: number
  /** Answers of the new code. */
  readonly wrong: number
  /** Requests without an answer. */
  readonly failed: readonly string[]
}

/** The body of the answer, of whatever status. */
export function askText(port: number, agent: http.Agent | false = false, url = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, agent, path: url, timeout: 30_000 }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (data) => {
          text += data
        })
        response.on('end', () => resolve(text)).on('error', reject)
      })
      .on('error', reject)
  })
}

/** Clients with a connection for each request, and clients that keep theirs. */
export function load(port: number): () => Promise<Answers> {
  let ends = false
  const answers = { right: 0, wrong: 0, failed: [] as string[] }
  const client = async (agent: http.Agent | false): Promise<void> => {
    while (!ends) {
      await askText(port, agent).then(
        (text) => answers[text as 'right' | 'wrong']++,
        (error: NodeJS.ErrnoException) => answers.failed.push(error.code ?? error.message),
      )
    }
    if (agent !== false) agent.destroy()
  }
  const keepAlive = (): http.Agent => new http.Agent({ keepAlive: true, maxSockets: 1 })
  const clients = [false, false, false, false, keepAlive(), keepAlive()].map((agent) => client(agent as http.Agent))
  return async () => {
    ends = true
    await Promise.all(clients)
    return answers
  }
}
