// Compiled without Node's types and with the smallest library: the declarations need nothing else.
import { capabilities, type ListenableServer, listenReusePort, openReusePortSocket } from 'reuseport'

export function serve(server: ListenableServer): boolean {
  listenReusePort(server, { port: 8080 })
  openReusePortSocket({ port: 8080 }).close()
  return capabilities().balanced
}
