// Compiled without Node's types and with the smallest library: the declarations need nothing else.
import {
  type BindableSocket,
  bindReusePort,
  capabilities,
  effectiveSocketOptions,
  type ListenableServer,
  listenReusePort,
  openReusePortSocket,
} from 'reuseport'

export function serve(server: ListenableServer): boolean {
  listenReusePort(server, { port: 8080 })
  openReusePortSocket({ port: 8080 }).close()
  return capabilities().balanced
}

export function bind(socket: BindableSocket): number | undefined {
  bindReusePort(socket, { port: 8125, socketOptions: { receiveBufferSize: 65536 } })
  return effectiveSocketOptions(socket).receiveBufferSize
}
