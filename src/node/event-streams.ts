// Answers of the type text/event-stream, which have no end of their own. Ended in order, their clients connect again by
// themselves (HTML Standard, 9.2.3), to another member.
import { dropWrites } from './ended-writable.js'
import type { HttpSocket, Response } from './http-connections.js'
import type { Stream } from './http2-sessions.js'

interface EventStream extends Response {
  readonly finished?: boolean
  readonly writableEnded?: boolean
  readonly _header?: string | null
  write: unknown
  end: () => unknown
}

/** A connection, or a part of one, that lasts until somebody ends it. */
export interface LongLived {
  readonly object: object
  end(): void
}

export function eventStreamOn({ _httpMessage, parser }: HttpSocket): LongLived | undefined {
  const response = _httpMessage as EventStream | null | undefined
  if (!response || response.writableEnded === true || typeof response._header !== 'string') return undefined
  if (!/^content-type: *text\/event-stream\b/im.test(response._header)) return undefined
  return {
    object: response,
    end: () => {
      // The client would ask for the next stream on this connection, which is of no use to it.
      if (parser?.incoming === response.req) response._last = true
      endAlone(response)
    },
  }
}

export function eventStreamIn(stream: Stream): LongLived | undefined {
  const type = stream.sentHeaders?.['content-type']
  if (stream.writableEnded || stream.closed || !String(type).startsWith('text/event-stream')) return undefined
  return { object: stream, end: () => endAlone(stream) }
}

function endAlone(writable: { write: unknown; end: () => unknown }): void {
  writable.end()
  dropWrites(writable)
}
