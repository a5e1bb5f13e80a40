// The control of the soak tests: processes that share a port are replaced, and the old ones end by server.close().
import { fork } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { count } from '../demo/format.js'
import { failures, LoadProcess } from './load-process.js'

export const WORKERS = 2
const CONTROL_RELOADS = 200 // at most: the control ends when a request has failed

/** @typedef {import('./programs.js').Program} Program */
/** @typedef {{ requests: number, failed: number, causes: Record<string, number>, reloads: number }} Outcome */

/** @returns {Promise<number>} */
export async function freePort() {
  const server = net.createServer().listen(0)
  await once(server, 'listening')
  const { port } = /** @type {net.AddressInfo} */ (server.address())
  server.close()
  return port
}

/** @type {(program: Program, port: number) => Promise<import('node:child_process').ChildProcess>} */
async function startControl({ control }, port) {
  const child = fork(control.script, [String(port), ...control.args], { execArgv: [...control.execArgv] })
  process.once('exit', () => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}

/** @type {(program: Program, settings: { pause: number, width: number }, line: { show: (text: string) => void, clear: () => void }) => Promise<Outcome>} */
export async function closing(program, { pause, width }, line) {
  const port = await freePort()
  const children = await Promise.all(Array.from({ length: WORKERS }, () => startControl(program, port)))
  const load = await LoadProcess.start(program.client, port, width)
  process.once('exit', () => load.kill())
  process.setMaxListeners(0)
  let reloads = 0
  while (reloads < CONTROL_RELOADS && (reloads < 5 || failures(await load.counts()) === 0)) {
    for (const [index, old] of children.entries()) {
      children[index] = await startControl(program, port)
      const exited = once(old, 'exit')
      old.send('close')
      await exited
    }
    reloads++
    line.show(`control: reload ${count(reloads)}`)
    await sleep(pause)
  }
  const counts = await load.end()
  for (const child of children) child.kill('SIGKILL')
  line.clear()
  return { requests: counts.total, failed: failures(counts), causes: counts.failed, reloads }
}
