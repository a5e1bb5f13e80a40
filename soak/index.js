// Replaces members of shared ports without a pause while clients connect as fast as they can. With drain() no
// connection may fail. In the control, with close(), some must fail: otherwise the run proves nothing.
import process from 'node:process'
import { readArguments } from '../demo/arguments.js'
import { bold, count, dim, green, progress, yellow } from '../demo/format.js'
import { Load } from './load.js'
import { Members } from './members.js'

const HELP = `Usage: npm run soak:drain -- [options]

Replaces members of shared ports by drain() and counts the connections that
fail. Then does the same by close() as a control. The ports are IPv4 and IPv6.
Some clients speak first, some wait for the server to speak, and some finish
their handshake late.

  -s, --seconds <1-86400>  least duration with drain()         (default 30)
      --restarts <n>       least number of replacements        (default 0)
      --connections <n>    least number of connections         (default 0)
      --json               print the result as JSON
  -h, --help               print this help

Exit codes: 0 no connection failed with drain() and some failed with close(),
1 otherwise, 2 wrong usage. The load uses loopback only.`

const CONTROL_SECONDS = 5 // at least: the control goes on until a connection has failed
const CONTROL_LONGEST = 60
const line = progress()

const OPTIONS = /** @type {const} */ ({
  seconds: { type: 'string', short: 's', default: '30' },
  restarts: { type: 'string', default: '0' },
  connections: { type: 'string', default: '0' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

/** @typedef {import('./load.js').Totals & import('./members.js').MemberTotals & { mode: 'drain' | 'close', seconds: number }} Outcome */

/**
 * @param {'drain' | 'close'} mode
 * @param {(now: { seconds: number, restarts: number, connections: number, failed: number }) => boolean} enough
 * @param {(text: string) => void} show
 * @returns {Promise<Outcome>}
 */
async function run(mode, enough, show) {
  const members = await Members.start(mode)
  const load = Load.start(members.groups)
  const begun = performance.now()
  try {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      const seconds = (performance.now() - begun) / 1000
      const { connections, failed } = load.totals()
      const { restarts } = members.totals()
      show(`${count(connections)} connections, ${count(restarts)} replacements, ${count(failed)} failed`)
      if (enough({ seconds, restarts, connections, failed })) break
    }
    const seconds = (performance.now() - begun) / 1000
    await members.rest()
    await load.end()
    await members.end()
    return { mode, seconds, ...load.totals(), ...members.totals() }
  } finally {
    load.kill()
    members.kill()
  }
}

/** @type {(outcome: Outcome) => void} */
function report({ mode, seconds, connections, causes, failed, slow, restarts, awaited, late, notLossless }) {
  const verdict = failed === 0 ? green('0 failed') : yellow(`${count(failed)} failed`)
  console.log(`${bold(mode)}: ${verdict}`)
  console.log(`  ${count(connections)} connections (${count(late)} of them late) in ${seconds.toFixed(0)} s`)
  console.log(`  ${count(restarts)} replacements, ${(restarts / seconds).toFixed(1)} a second`)
  for (const [cause, times] of Object.entries(causes)) console.log(`  ${count(times).padStart(7)} × ${cause}`)
  if (mode === 'close') return
  console.log(dim(`  ${count(slow)} took longer than 900 ms; drain() waited for ${count(awaited)} handshakes`))
  for (const [reason, times] of Object.entries(notLossless)) console.log(yellow(`  ${times} × ${reason}`))
}

async function main() {
  const { values, wholeNumber } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const wanted = {
    seconds: wholeNumber('seconds', values.seconds, 1, 86_400),
    restarts: wholeNumber('restarts', values.restarts, 0, 1e9),
    connections: wholeNumber('connections', values.connections, 0, 1e9),
  }
  const drained = await run(
    'drain',
    ({ seconds, restarts, connections }) =>
      seconds >= wanted.seconds && restarts >= wanted.restarts && connections >= wanted.connections,
    (text) => line.show(`drain ${text}`),
  )
  line.clear()
  if (!values.json) report(drained)
  const control = await run(
    'close',
    ({ seconds, failed }) => (seconds >= CONTROL_SECONDS && failed > 0) || seconds >= CONTROL_LONGEST,
    (text) => line.show(`close ${text}`),
  )
  line.clear()
  const counts = control.failed > 0
  const passed = counts && drained.failed === 0
  if (values.json) console.log(JSON.stringify({ passed, counts, drain: drained, close: control }, undefined, 2))
  else {
    report(control)
    console.log(counts ? '' : yellow('No connection failed in the control: this run proves nothing.'))
  }
  process.exitCode = passed ? 0 : 1
}

process.on('SIGINT', () => process.exit(130))
await main()
