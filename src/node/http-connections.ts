// The HTTP/1 connections of a server during its drain: which answers say `Connection: close`, and which connections are
// idle. It knows the connection list of an http server, the response under way on a connection, and the parser's request.
import { hidden } from './hidden.js'
import { endsWith, type ReadRequest } from './pipelining.js'

interface Request extends ReadRequest {
  readonly complete?: boolean
  readonly socket?: HttpSocket | null
}

export interface Response {
  shouldKeepAlive?: boolean
  /** Whether the connection ends with this response. Set when the head is made. */
  _last?: boolean
  readonly headersSent?: boolean
  readonly req?: Request
}

interface Parser {
  /** The request whose head was read last. */
  readonly incoming?: object | null
  readonly socket?: HttpSocket | null
  getCurrentBuffer?(): Uint8Array
}

export interface HttpSocket {
  readonly bytesRead: number
  readonly writableLength: number
  /** Null once the connection has been upgraded. */
  readonly parser?: Parser | null
  readonly _httpMessage?: Response | null
  destroy(): void
}

interface List {
  all(): readonly Parser[]
  idle(): readonly Parser[]
}

/** What was read from one buffer of a connection. */
interface Reading {
  readonly bytesRead: number
  readonly heads: number
}

export class HttpConnections {
  readonly #server: object
  readonly #marked = new WeakSet<Response>()
  /** The response that says the end of a connection. */
  readonly #last = new WeakMap<HttpSocket, Response>()
  readonly #readings = new WeakMap<HttpSocket, Reading>()
  /** Since when a connection is idle, and what it had received then. */
  readonly #idle = new WeakMap<HttpSocket, { readonly since: number; readonly bytesRead: number }>()
  #idleInThisTurn: ReadonlySet<Parser> | undefined
  #isOver = false

  constructor(server: object) {
    this.#server = server
  }

  /** The sockets of all connections whose protocol is HTTP/1. */
  sockets(): readonly HttpSocket[] {
    return this.#list?.all().flatMap(({ socket }) => (socket ? [socket] : [])) ?? []
  }

  /** The response under way on each connection, and a later one, says the end where it is the last. */
  announceEnd(): void {
    for (const { _httpMessage: response } of this.sockets()) if (response) this.#mark(response)
  }

  /**
   * A request has come. Where an earlier answer has said that it is the last one, the program must not get it (RFC 9112,
   * 9.6): it would be handled without an answer. Its client knows that, and asks again elsewhere.
   */
  onRequest(request: Request, response: Response): 'withheld' | undefined {
    // Answers of an http2 server's compatibility API have no connection of their own.
    if (this.#isOver || !('shouldKeepAlive' in response)) return undefined
    const { socket } = request
    if (!socket) return undefined
    const last = this.#last.get(socket)
    if (last?._last === true && last !== response) return 'withheld'
    // A program that hears 'checkContinue' emits the request once more.
    if (this.#marked.has(response)) return undefined
    const { bytesRead } = socket
    const before = this.#readings.get(socket)
    this.#readings.set(socket, { bytesRead, heads: before?.bytesRead === bytesRead ? before.heads + 1 : 1 })
    this.#mark(response)
    return undefined
  }

  /** Responses whose head is made later are no longer told of the end. */
  forget(): void {
    this.#isOver = true
  }

  /**
   * Closes the connections that have been idle for `timeout` ms: nothing was asked and nothing is to be written. Node's
   * own `closeIdleConnections()` cuts answers that the client has not received yet.
   *
   * @returns false where this runtime has no list of them.
   */
  closeIdle(now: number, timeout: number): boolean {
    const list = this.#list
    if (list === undefined) return false
    const idle = new Set(list.idle())
    for (const parser of list.all()) {
      const { socket } = parser
      if (!socket) continue
      const { bytesRead } = socket
      // Node counts a connection without any received byte as one whose request is under way.
      const isIdle = !socket._httpMessage && socket.writableLength === 0 && (bytesRead === 0 || idle.has(parser))
      const known = this.#idle.get(socket)
      if (!isIdle) this.#idle.delete(socket)
      else if (known?.bytesRead !== bytesRead) this.#idle.set(socket, { since: now, bytesRead })
      if (isIdle && now - (this.#idle.get(socket)?.since ?? now) >= timeout) socket.destroy()
    }
    return true
  }

  get #list(): List | undefined {
    const list = hidden(this.#server, 'http.server.connections')
    return typeof list === 'object' && list !== null && 'all' in list && 'idle' in list ? (list as List) : undefined
  }

  /** Node asks for `shouldKeepAlive` when it makes the head: only then it is known whether other requests follow. */
  #mark(response: Response): void {
    if (this.#marked.has(response) || response.headersSent !== false) return
    this.#marked.add(response)
    let keeps = response.shouldKeepAlive
    Object.defineProperty(response, 'shouldKeepAlive', {
      configurable: true,
      enumerable: true,
      get: () => keeps === true && (this.#isOver || !this.#isLast(response)),
      set: (value: boolean) => {
        keeps = value
      },
    })
  }

  /** Whether nothing has come after the request of this response, and no earlier response is under way. */
  #isLast(response: Response): boolean {
    const { req: request } = response
    const socket = request?.socket
    // Another runtime, which does not show its parser.
    if (request === undefined || !socket || socket.parser === undefined) return true
    const { parser } = socket
    if (parser?.incoming !== request || socket._httpMessage !== response) return false
    const buffer = parser.getCurrentBuffer?.()
    const isLast =
      buffer !== undefined && buffer.length > 0
        ? endsWith(buffer, this.#readings.get(socket)?.heads ?? 0, request)
        : // A connection that ends before its body has come is reset, and the client may lose the answer.
          request.complete === true && this.#isIdle(parser)
    if (isLast) this.#last.set(socket, response)
    return isLast
  }

  /** Whether the parser is between two requests. Looked up once in a turn of the event loop, for all connections. */
  #isIdle(parser: Parser): boolean {
    const list = this.#list
    if (list === undefined) return true
    if (this.#idleInThisTurn === undefined) {
      this.#idleInThisTurn = new Set(list.idle())
      setImmediate(() => {
        this.#idleInThisTurn = undefined
      })
    }
    return this.#idleInThisTurn.has(parser)
  }
}
