/**
 * Calls `take` with each line of JSON that a socket brings.
 *
 * @param {import('node:net').Socket} socket
 * @param {(message: any) => void} take
 */
export function onLines(socket, take) {
  let rest = ''
  socket.setEncoding('utf8').on('data', (part) => {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(JSON.parse(line))
  })
}
