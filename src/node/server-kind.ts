import { isHttp2 } from './http2-sessions.js'

/** `'tls'`: the two ends agree on the protocol over TLS. `'http2'`: HTTP/2 without TLS. `'http'` for all others. */
export function protocolOf(server: object): 'http' | 'http2' | 'tls' {
  if ('setSecureContext' in server && typeof server.setSecureContext === 'function') return 'tls'
  return isHttp2(server) ? 'http2' : 'http'
}
