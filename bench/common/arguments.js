// Pure: what the arguments of a benchmark ask for.
import { parseArgs } from 'node:util'

/** @typedef {import('./benchmark.js').Benchmark} Benchmark */

export class WrongUsage extends Error {}

/** @param {Benchmark} benchmark */
export function helpOf({ name, help, competitors, parts }) {
  const width = Math.max(
    ...[...Object.keys(competitors), ...parts.map((part) => part.name)].map(({ length }) => length),
  )
  /** @type {(name: string, text: string) => string} */
  const line = (name, text) => `  ${name.padEnd(width)}  ${text}`
  return `Usage: npm run bench -- ${name} [options]

${help}

Parts:
${parts.map((part) => line(part.name, part.title)).join('\n')}

Competitors:
${Object.entries(competitors)
  .map(([name, { label }]) => line(name, label))
  .join('\n')}

      --only <parts>           these parts, with commas  (default all)
      --against <competitors>  ours and these            (default all)
  -r, --rounds <1-100>         rounds of each part
      --quick                  shows that it works, and little else
      --save                   write bench/results/${name}.json and ${name}.svg
      --save-in <folder>       write them there
      --json                   print JSON (the default without a terminal)
  -h, --help                   print this help

Exit codes: 0 measured, 1 something could not be measured, 2 wrong usage,
130 SIGINT, 143 SIGTERM.`
}

/** @type {(asked: string | undefined, all: readonly string[], option: string) => string[]} */
function chosen(asked, all, option) {
  if (asked === undefined) return [...all]
  const names = asked.split(',')
  const stranger = names.find((name) => !all.includes(name))
  if (stranger !== undefined) throw new WrongUsage(`--${option} takes some of ${all.join()}, not '${stranger}'`)
  return names
}

/** @param {string | undefined} asked */
function roundsOf(asked) {
  if (asked === undefined) return undefined
  const rounds = Number(asked)
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds
  throw new WrongUsage(`--rounds takes a whole number from 1 to 100, not '${asked}'`)
}

/** @param {readonly string[]} args @param {boolean} isTerminal */
function parse(args, isTerminal) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        against: { type: 'string' },
        rounds: { type: 'string', short: 'r' },
        quick: { type: 'boolean', default: false },
        save: { type: 'boolean', default: false },
        'save-in': { type: 'string' },
        json: { type: 'boolean', default: !isTerminal },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new WrongUsage(error instanceof Error ? error.message : String(error))
  }
}

/**
 * Throws `WrongUsage` where the arguments make no sense. `folder`: where to save; undefined where nothing is saved.
 *
 * @param {Benchmark} benchmark
 * @param {readonly string[]} args
 * @param {{ isTerminal: boolean, results: string }} surroundings `results`: the folder of --save.
 */
export function readArguments({ parts, competitors }, args, { isTerminal, results }) {
  const { only, against, rounds, save, 'save-in': folder, ...flags } = parse(args, isTerminal)
  const names = chosen(
    only,
    parts.map(({ name }) => name),
    'only',
  )
  const some = parts.filter(({ name }) => names.includes(name))
  const others = chosen(against, Object.keys(competitors), 'against')
  return {
    ...flags,
    folder: folder ?? (save ? results : undefined),
    rounds: roundsOf(rounds),
    parts: some,
    competitors: [...new Set([...some.map(({ ours }) => ours), ...others])],
  }
}
