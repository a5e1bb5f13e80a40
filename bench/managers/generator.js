// Sends requests at times that were fixed beforehand. A process of its own, told over IPC: { port, times, kept } begins a run,
// 'finish' leaves out the requests of the run that have not begun.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../tail/clock.js'
import { Client } from './client.js'

const LEAD = 50 // ms from the message to the first request

let isFinished = false

/** @type {(setting: { port: number, times: number[], kept: number }) => Promise<void>} */
async function run({ port, times, kept }) {
  const client = new Client(port, kept)
  const begin = now() + LEAD
  const pending = []
  /** @type {number[]} */
  const lateness = []
  isFinished = false
  process.send?.({ begin })
  for (const time of times) {
    const at = begin + time
    // A timer of Node has a resolution of 1 ms.
    while (now() < at && !isFinished) await sleep(Math.min(at - now(), 100))
    if (isFinished) break
    lateness.push(now() - at)
    pending.push(client.request(at))
  }
  const samples = await Promise.all(pending)
  client.close()
  process.send?.({ samples, lateness })
}

process.on('message', (/** @type {any} */ message) => {
  if (message === 'finish') isFinished = true
  else run(message)
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
