// A process that sends requests at times that were fixed beforehand. It is told over IPC: { times, … } begins a run, 'finish'
// leaves out the requests of the run that have not begun.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../tail/clock.js'

const LEAD = 50 // ms from the message to the first request

/**
 * @template Sample
 * @param {(setting: any) => { send: (at: number) => Promise<Sample>, end?: () => void }} prepare Called for each run. `at`: on the clock of now().
 */
export function answerRuns(prepare) {
  let isFinished = false

  /** @param {any} setting */
  async function run({ times, ...setting }) {
    const { send, end } = prepare(setting)
    const begin = now() + LEAD
    const used = process.cpuUsage()
    /** @type {Promise<Sample>[]} */
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
      pending.push(send(at))
    }
    const samples = await Promise.all(pending)
    end?.()
    const { user, system } = process.cpuUsage(used)
    process.send?.({ samples, lateness, cpu: (user + system) / 1000 / (now() - begin) })
  }

  process.on('message', (message) => {
    if (message === 'finish') isFinished = true
    else run(message)
  })
  process.on('disconnect', () => process.exit())
  process.send?.('ready')
}
