// Compiled as CommonJS against the published declarations: values, classes and types of both entry points.
import http from 'node:http'
import {
  capabilities,
  drain,
  type ListenReusePortOptions,
  listenReusePort,
  ReusePortUnsupportedError,
  type SocketOptions,
} from 'reuseport'
import { Supervisor, SupervisorError, type SupervisorOptions } from 'reuseport/supervisor'

import whole = require('reuseport')

const options: ListenReusePortOptions = { port: 8080, socketOptions: { ttl: 5 } satisfies SocketOptions }
const server: http.Server = listenReusePort(http.createServer(), options)
server.once('listening', () => void drain(server))

class Own extends Supervisor {}
const own: Supervisor = new Own({ script: 'server.js', workers: 'auto' } satisfies SupervisorOptions)
own.start().catch((error: unknown) => {
  if (error instanceof SupervisorError) throw error
})

export function codeOf(error: unknown): 'ERR_REUSEPORT_UNSUPPORTED' | undefined {
  return error instanceof ReusePortUnsupportedError ? error.code : undefined
}
export const error: ReusePortUnsupportedError | undefined = undefined
export const isWhole: boolean = whole.capabilities === capabilities

// @ts-expect-error no such policy
listenReusePort(server, { port: 80, fallback: 'ignore' })
