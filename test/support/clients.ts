import net from 'node:net'

/** Connects once and reads what the server says until it ends the connection. */
export function ask(port: number, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    net
      .connect(port, host)
      .setEncoding('utf8')
      .on('data', (text: string) => {
        said += text
      })
      .on('end', () => resolve(said))
      .on('error', reject)
  })
}

/** Opens `total` connections, `width` at a time, and counts the answers. */
export async function tally(port: number, total: number, width = 16): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  let opened = 0
  async function client(): Promise<void> {
    while (opened < total) {
      opened++
      const answer = await ask(port)
      counts.set(answer, (counts.get(answer) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: width }, client))
  return counts
}
