// A group of processes that share a port without a manager: one more starts, then an old one leaves.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { end, errorsOf, message, start } from '../common/children.js'
import { node } from '../common/servers-node.js'
import { WORKERS } from '../managers/manager.js'
import { environment } from '../managers/starters.js'

const member = fileURLToPath(new URL('./member.js', import.meta.url))
const PATIENCE = 20_000 // ms. A member that has not ended by then is killed.

/** @param {'close' | 'empty' | 'drain'} way @returns {import('../managers/manager.js').Starter} */
export function startGroup(way) {
  return async (place) => {
    const startMember = async () => {
      const args = ['--import', import.meta.resolve('reuseport/register'), member, way]
      const child = start(node, args, { env: environment(place), ipc: true })
      // It says so when it listens.
      await message(child, { errors: errorsOf(child) })
      return child
    }
    const members = await Promise.all(Array.from({ length: WORKERS }, startMember))
    return {
      root: 0,
      failure: () => undefined,
      async reload() {
        for (const [index, old] of members.entries()) {
          members[index] = await startMember()
          const closed = once(old, 'close')
          const timer = setTimeout(() => old.kill('SIGKILL'), PATIENCE)
          old.send('leave')
          await closed
          clearTimeout(timer)
        }
      },
      async end() {
        await Promise.all(members.map((child) => end(child, 'SIGKILL')))
      },
    }
  }
}
