import process from 'node:process'
import { parseArgs } from 'node:util'
import { PARTS } from './parts.js'

const NAMES = PARTS.map(({ name }) => name)

const HELP = `Usage: npm run bench -- tail [options]

Compares how long connections wait where a worker is busy, stopped or killed:
the kernel's hash (reuseport run --no-join), reuseport run, and cluster with
round robin and with a shared handle. In interleaved rounds of one run, over
loopback only. Takes about 13 minutes.

  blocked  600 connections/s, one worker blocks its loop 400 ms each second
  cpu      requests of 10, 30 and 50 ms of processor time, Poisson arrivals, at
           70 % of the workers, or of the CPUs less 0.15 for the load generator
  stop     a worker is stopped (SIGSTOP) for 5 s under 400 connections/s
  kill     a worker is killed twenty times under 400 connections/s
  cheap    requests and processor time per request at full load
  balance  counts of long connections, where there is --balance connections

      --only <parts>     these parts, separated by commas  (default all)
      --workers <counts> numbers of workers, 1 to 16       (default 2,4)
      --quick            a minute; shows that it works, and little else
                         (with 2 workers, if not told otherwise)
      --save             write bench/results/tail.json and tail.svg
      --json             print JSON (the default without a terminal)
  -h, --help             print this help

Exit codes: 0 measured, 1 something could not be measured, 2 wrong usage,
130 SIGINT, 143 SIGTERM.`

/** @type {(message: string) => never} */
function misused(message) {
  console.error(`${message}\n\n${HELP}`)
  process.exit(2)
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', default: NAMES.join() },
        workers: { type: 'string' },
        quick: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        json: { type: 'boolean', default: process.stdout.isTTY !== true },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error))
  }
}

/** Wrong arguments and --help end the process. @param {readonly string[]} args */
export function readTailArguments(args) {
  const { only, workers, help, ...values } = parse(args)
  if (help) {
    console.log(HELP)
    process.exit()
  }
  const asked = only.split(',')
  const stranger = asked.find((name) => !NAMES.includes(name))
  if (stranger !== undefined) misused(`--only takes some of ${NAMES.join()}, not '${stranger}'`)
  const counts = (workers ?? (values.quick ? '2' : '2,4')).split(',').map(Number)
  if (!counts.every((count) => Number.isInteger(count) && count >= 1 && count <= 16))
    misused(`--workers takes whole numbers from 1 to 16, not '${workers}'`)
  return { ...values, workers: [...new Set(counts)], parts: PARTS.filter(({ name }) => asked.includes(name)) }
}
