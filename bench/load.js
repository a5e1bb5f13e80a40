import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const CONNECTIONS = 32
const hasWrk = spawnSync('wrk', ['-v']).error === undefined

export const loadTool = hasWrk ? 'wrk' : 'own client'

/** `rate`: answers a second. `count`: all of them. @typedef {{ rate: number, count: number }} Load */

/**
 * Loads the server on this port for `seconds`.
 *
 * @param {number} port
 * @param {{ seconds: number, keepAlive: boolean }} setting
 * @returns {Promise<Load>}
 */
export async function load(port, { seconds, keepAlive }) {
  return hasWrk ? byWrk(port, seconds, keepAlive) : byOwnClient(port, seconds, keepAlive)
}

/**
 * The requests per second that the server on this port answers, measured for `seconds`.
 *
 * @param {number} port
 * @param {{ seconds: number, keepAlive: boolean }} setting
 */
export async function measure(port, setting) {
  return (await load(port, setting)).rate
}

/** @type {(command: string, args: string[]) => Promise<string>} */
async function output(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
  return text
}

/** @type {(port: number, seconds: number, keepAlive: boolean) => Promise<Load>} */
async function byWrk(port, seconds, keepAlive) {
  const header = keepAlive ? [] : ['-H', 'Connection: close']
  const text = await output('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${seconds}s`, ...header, `http://127.0.0.1:${port}/`])
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]
  const count = /(\d+) requests in/.exec(text)?.[1]
  if (rate === undefined || count === undefined) throw new Error(`wrk printed no rate:\n${text}`)
  return { rate: Number(rate), count: Number(count) }
}

/** @type {(port: number, seconds: number, keepAlive: boolean) => Promise<Load>} */
async function byOwnClient(port, seconds, keepAlive) {
  const client = fileURLToPath(new URL('./client.js', import.meta.url))
  const setting = JSON.stringify({ port, seconds, keepAlive, connections: CONNECTIONS })
  const rate = Number(await output(process.execPath, [client, setting]))
  return { rate, count: rate * seconds }
}
