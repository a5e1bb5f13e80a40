// Answers probes and scrapes over HTTP, from the supervisor's own event loop: an answer to a probe never waits for a worker.
import { chmodSync, linkSync, rmSync, type Stats, statSync, unlinkSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import process from 'node:process'
import { loadAddon } from '../native/addon.js'
import { formatPlace, type MetricsPlace } from './metrics-place.js'
import { CONTENT_TYPE } from './metrics-text.js'
import { isStale, removeOwn, statOf } from './path-file.js'

/** More clients than that at a time are turned away. */
const MOST_CLIENTS = 64
/** ms for a request, and for a client that neither asks nor reads. */
const PATIENCE = 5000
/** Bytes. */
const LONGEST_HEADERS = 8192
/** Bytes of the path of a unix socket, without the zero at its end. unix(7), unix(4) of macOS */
const LONGEST_PATH = process.platform === 'linux' ? 107 : 103

/** @internal */
export interface MetricsAnswers {
  /** Whether clients can be served, and the sentence that says so. */
  readiness(): { readonly isReady: boolean; readonly text: string }
  metrics(): Promise<string>
}

/** @internal */
export class MetricsServer {
  readonly #server: http.Server
  readonly #answers: MetricsAnswers
  /** Scrapes that come together get one answer. */
  #scrape: Promise<string> | undefined
  #where = ''
  #remove: () => void = () => {}

  /** @throws what the system says; EADDRINUSE also where a file has the path. */
  static async open(place: MetricsPlace, answers: MetricsAnswers): Promise<MetricsServer> {
    const server = new MetricsServer(answers)
    await server.#listen(place)
    return server
  }

  private constructor(answers: MetricsAnswers) {
    this.#answers = answers
    const limits = { maxHeaderSize: LONGEST_HEADERS, headersTimeout: PATIENCE, requestTimeout: PATIENCE }
    this.#server = http.createServer(limits, (request, response) => void this.#answer(request, response))
    this.#server.maxConnections = MOST_CLIENTS
    this.#server.timeout = PATIENCE
    this.#server.on('connection', (socket) => socket.unref())
    // Clients that keep their connections do not keep others out.
    this.#server.on('drop', () => this.#server.closeIdleConnections())
  }

  /** A URL or a path. */
  get where(): string {
    return this.#where
  }

  close(): void {
    this.#remove()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #listen(place: MetricsPlace): Promise<void> {
    const listening = new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).once('listening', resolve)
    })
    listening.catch(() => {})
    try {
      // The port is this process's own, also in a cluster worker or with the preload.
      if ('path' in place) this.#listenOnPath(place.path)
      else this.#server.listen({ ...place, exclusive: true })
      await listening
    } catch (error) {
      this.#server.close()
      throw error
    }
    // Nothing that a client does ends the supervisor.
    this.#server.removeAllListeners('error').on('error', () => {})
    this.#server.unref()
    const address = this.#server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    this.#where = formatPlace('path' in place ? place : { ...place, port })
  }

  /** The socket gets its name when it listens and has its mode: nobody else can connect, and no name refuses connections. */
  #listenOnPath(file: string): void {
    const before = path.join(path.dirname(file), `.${process.pid}.reuseport`)
    const length = Math.max(Buffer.byteLength(file), Buffer.byteLength(before))
    if (length > LONGEST_PATH) throw new Error(`the path has ${length} bytes: at most ${LONGEST_PATH} are possible`)
    // libuv says EACCES of a folder that is not there.
    statSync(path.dirname(file))
    rmSync(before, { force: true })
    this.#server.listen({ path: before, exclusive: true })
    // Missing where it could not listen: the event says why.
    const own = statOf(before)
    if (own === undefined) return
    try {
      chmodSync(before, 0o600)
      take(file, before)
      this.#remove = () => removeOwn(file, own)
    } finally {
      rmSync(before, { force: true })
    }
  }

  async #answer({ method, url = '' }: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      send(response, 405, `There is no ${method} here.`)
      return
    }
    switch (url.split('?', 1)[0]) {
      case '/livez':
        send(response, 200, 'the supervisor is alive')
        break
      case '/readyz': {
        const { isReady, text } = this.#answers.readiness()
        send(response, isReady ? 200 : 503, text)
        break
      }
      case '/metrics':
        await this.#answerScrape(response)
        break
      default:
        send(response, 404, 'There are /metrics, /livez and /readyz.')
    }
  }

  async #answerScrape(response: http.ServerResponse): Promise<void> {
    try {
      this.#scrape ??= this.#answers.metrics().finally(() => {
        this.#scrape = undefined
      })
      const text = await this.#scrape
      response.writeHead(200, { 'Content-Type': CONTENT_TYPE, 'Cache-Control': 'no-store' }).end(text)
    } catch (error) {
      send(response, 500, (error as Error).message)
    }
  }
}

function send(response: http.ServerResponse, status: number, text: string): void {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }
  response.writeHead(status, headers).end(`${text}\n`)
}

/** Gives the socket its name. A socket of this user that no process has bound any more gives way. @throws EADDRINUSE */
function take(file: string, before: string): void {
  const state = loadAddon()
  if (state.loaded && isStale(state.addon, file)) unlinkSync(file)
  try {
    linkSync(before, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw inUse(statOf(file))
  }
}

function inUse(found: Stats | undefined): Error {
  const what =
    found === undefined || found.isSocket() ? 'another process has the path' : 'a file that is no socket is there'
  return Object.assign(new Error(what), { code: 'EADDRINUSE' })
}
