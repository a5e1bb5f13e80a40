// Several processes share one port. Shows how evenly the kernel spreads connections, and that a restart loses none.
import process from 'node:process'
import { capabilities } from 'reuseport'
import { readArguments } from './arguments.js'
import { chiSquare } from './chi-square.js'
import { bar, bold, columns, count, cyan, dim, green, percent, progress, yellow } from './format.js'
import { load } from './load.js'
import { startMember } from './processes.js'
import { RunningProgram } from './run.js'

const HELP = `Usage: npm run demo -- [options]

Starts processes that share one port, opens HTTP connections to the port and
shows how many each process accepted. Then replaces one process by drain() while
requests go on. Then runs an unmodified program by a supervisor, as reuseport
run does, reloads it under load, and kills one of its workers while clients wait
in the queue of that worker.

  -p, --processes <2-16>        processes on the port           (default 4)
  -c, --connections <100-20000> connections to open             (default 4000)
      --json                    print the result as JSON
  -h, --help                    print this help

Exit codes: 0 no request failed, 1 this system does not balance a shared port,
2 wrong usage, 3 a request failed.`

/** Shares count as uneven if chance alone would deviate this far with a lower probability. */
const SIGNIFICANCE = 0.001
const WIDTH = 32
const line = progress()

const OPTIONS = /** @type {const} */ ({
  processes: { type: 'string', short: 'p', default: '4' },
  connections: { type: 'string', short: 'c', default: '4000' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
})

/** @type {(system: import('reuseport').Capabilities) => string} */
function summary(system) {
  const how = { hash: 'balanced by the kernel’s hash', 'last-wins': 'shared, not balanced', none: 'not shared' }
  const by = system.addon ? 'native addon' : 'Node’s own reusePort'
  return `${system.platform}, ${system.option ?? 'no option'} (${by}): ${how[system.semantics]}`
}

/** @type {(counts: readonly { pid: number, connections: number }[]) => void} */
function showShares(counts) {
  const total = counts.reduce((sum, { connections }) => sum + connections, 0)
  const width = Math.max(10, Math.min(40, columns - 40))
  const most = Math.max(...counts.map(({ connections }) => connections))
  for (const { pid, connections } of counts) {
    const numbers = `${count(connections).padStart(7)}  ${percent(connections / total).padStart(7)}`
    console.log(`  process ${String(pid).padEnd(8)}${cyan(bar(connections / most, width))}${numbers}`)
  }
}

/** @type {(probability: number) => string} */
function verdict(probability) {
  if (probability >= SIGNIFICANCE) return green('as even as chance allows')
  return yellow('less even than chance allows')
}

/** @type {(port: number, connections: number) => Promise<import('./load.js').Outcome>} */
function spread(port, connections) {
  return load(
    port,
    WIDTH,
    (begun) => begun < connections,
    ({ total }) => {
      if (total % 100 === 0)
        line.show(`  ${bar(total / connections, 30)} ${count(total)} of ${count(connections)} connections`)
    },
  )
}

/** @type {(members: import('./processes.js').Member[], requests: number) => Promise<{ outcome: import('./load.js').Outcome, left: number, joined: number, report: import('./processes.js').Left }>} */
async function replaceOne(members, requests) {
  const [old] = members
  if (old === undefined) throw new Error('there is no process to replace')
  let replaced = false
  let after = 0
  // Requests go on until the old process has ended, and for a while after that.
  const running = load(
    old.port,
    WIDTH * 2,
    () => !replaced || after++ < requests / 2,
    ({ total }) => {
      if (total % 100 === 0) line.show(`  ${count(total)} requests so far`)
    },
  )
  try {
    const successor = await startMember(old.port)
    members.push(successor)
    const report = await old.leave()
    return { left: old.pid, joined: successor.pid, report, outcome: await finish() }
  } catch (error) {
    await finish()
    throw error
  }

  function finish() {
    replaced = true
    return running
  }
}

async function main() {
  const { values, wholeNumber } = readArguments(HELP, OPTIONS)
  if (values.help) return console.log(HELP)
  const processes = wholeNumber('processes', values.processes, 2, 16)
  const connections = wholeNumber('connections', values.connections, 100, 20_000)
  const system = capabilities()
  if (!system.balanced) {
    console.error(`This system does not balance a shared port: ${system.reasons.balanced}`)
    process.exitCode = 1
    return
  }

  /** @type {import('./processes.js').Member[]} */
  const members = []
  process.on('exit', () => {
    for (const member of members) member.kill()
  })
  const first = await startMember(0)
  members.push(first)
  for (let started = 1; started < processes; started++) members.push(await startMember(first.port))

  const say = values.json ? () => {} : console.log
  say(`${bold(`${processes} processes share port ${first.port}`)}\n${dim(summary(system))}\n`)
  const { answered } = await spread(first.port, connections)
  line.clear()
  const counts = members.map(({ pid }) => ({ pid, connections: answered.get(String(pid)) ?? 0 }))
  const { statistic, degrees, probability } = chiSquare(counts.map(({ connections }) => connections))
  if (!values.json) {
    say(`${count(connections)} HTTP connections, by the process that accepted them:`)
    showShares(counts)
    say(
      `  χ² = ${statistic.toFixed(2)} with ${degrees} degrees of freedom, p = ${probability.toFixed(3)}: ${verdict(probability)}\n`,
    )
    say(`A new process now replaces process ${first.pid} while requests go on.`)
  }

  const { outcome, left, joined, report } = await replaceOne(members, connections)
  line.clear()
  for (const member of members) member.kill()
  const failed = [...outcome.failed.values()].reduce((sum, value) => sum + value, 0)
  const causes = [...outcome.failed].map(([code, times]) => `${code} ${times} times`).join(', ')
  if (values.json) {
    const restart = {
      left,
      joined,
      ...report,
      requests: outcome.total,
      failed,
      causes: Object.fromEntries(outcome.failed),
    }
    const program = await runProgram(processes, connections, () => {})
    if (failed + program.failed > 0) process.exitCode = 3
    return console.log(
      JSON.stringify({ system, counts, chiSquare: { statistic, degrees, probability }, restart, program }, null, 2),
    )
  }
  say(`  process ${left} left, process ${joined} joined`)
  say(
    `  ${count(outcome.total)} requests, ${failed === 0 ? green('0 failed') : yellow(`${failed} failed (${causes})`)}`,
  )
  say(dim(`  by drain ('${report.method}'): ${report.lossless ? 'nothing was lost' : report.reason}`))
  const program = await runProgram(processes, connections, say)
  if (failed + program.failed > 0) process.exitCode = 3
}

/** @type {(processes: number, connections: number, say: (text: string) => void) => Promise<{ failed: number }>} */
async function runProgram(processes, connections, say) {
  const program = await RunningProgram.start(processes)
  say(`\n${bold(`An unmodified program, by reuseport run -n ${processes}`)}${dim(`, on port ${program.port}`)}`)
  const counts = await program.distribution(Math.round(connections / 2))
  if (say === console.log) showShares(counts)
  const reload = await program.reload()
  say(`  reload: ${count(reload.requests)} requests in the meantime, ${verdictOn(reload)}`)
  const kill = await program.kill()
  say(`  worker ${kill.killed} stands still, then kill -9: ${count(kill.requests)} clients, ${verdictOn(kill)}`)
  say(dim(`  ${count(kill.waited)} of them still waited after 300 ms: others accept from its queue;`))
  say(dim(`  worker ${kill.successor} has taken over its socket`))
  await program.end()
  return Object.assign({ failed: reload.failed + kill.failed }, { counts, reload, kill })
}

/** @type {(counted: import('./run.js').Counted) => string} */
function verdictOn({ failed, causes }) {
  if (failed === 0) return green('0 failed')
  return yellow(
    `${failed} failed (${Object.entries(causes)
      .map(([code, times]) => `${code} ${times} times`)
      .join(', ')})`,
  )
}

process.on('SIGINT', () => process.exit(130))
main().then(
  () => process.exit(),
  (error) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  },
)
