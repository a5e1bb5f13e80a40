import type net from 'node:net'

/**
 * Tells each line that comes on a connection, without its end. A line that is longer than `longest` characters ends the
 * connection with an error; the lines before it are told. Nothing is told once the connection has been destroyed.
 */
export function onLine(socket: net.Socket, longest: number, tell: (line: string) => void): void {
  let line = ''
  socket.setEncoding('utf8').on('data', (chunk: unknown) => {
    // Only the new part is searched, so that a peer which sends single characters takes no more time than another one.
    for (const [index, part] of String(chunk).split('\n').entries()) {
      if (socket.destroyed) return
      if (index > 0) {
        tell(line)
        line = ''
      }
      line += part
      if (line.length > longest) socket.destroy(new Error(`a line has more than ${longest} characters`))
    }
  })
}
