import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./server.js', import.meta.url))

/** @typedef {Pick<import('reuseport').DrainReport, 'lossless' | 'method' | 'reason'>} Left */
/** @typedef {{ pid: number, port: number, leave(): Promise<Left>, kill(): void }} Member */

/**
 * Starts a process that listens on the port. For port 0 the kernel chooses one.
 *
 * @param {number} port
 * @returns {Promise<Member>}
 */
export async function startMember(port) {
  const child = fork(program, [String(port)])
  const exited = once(child, 'exit')
  const first = await Promise.race([
    once(child, 'message'),
    exited.then(() => [{ failed: 'the process ended at once' }]),
  ])
  const { pid, port: bound, failed } = first[0]
  if (failed !== undefined) throw new Error(`a process could not listen: ${failed}`)
  return {
    pid,
    port: bound,
    async leave() {
      child.send('leave')
      const [said] = await Promise.race([once(child, 'message'), exited.then(() => [undefined])])
      await exited
      if (said === undefined) throw new Error('a process ended before it had drained')
      return said
    },
    kill() {
      child.kill('SIGKILL')
    },
  }
}
