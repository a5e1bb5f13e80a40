#!/usr/bin/env node
// Room: the command `reuseport`. It imports what users import, and pure helpers.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { nearestName } from '../options/option-names.js'
import { MissingFileError, UsageError } from './arguments.js'
import { build } from './build.js'
import { doctor } from './doctor.js'
import { ls, type Output } from './ls.js'
import { hintForCommand } from './other-words.js'
import { reload } from './reload.js'
import { run } from './run.js'
import { printableLines, screenOf } from './terminal.js'

const HELP = `Usage: reuseport <command> [options]

  run         run a program in several processes that share its ports
  reload      replace the workers of a running supervisor
  doctor      show what this system supports for port sharing
  ls          list the processes on each port, with queues and drops
  build       compile the addon where the package has no binary

  -h, --help     print this help, or the help of a command
  -V, --version  print the version

Exit codes: 0 success, 1 failure, 2 wrong usage.`

const COMMANDS = ['run', 'reload', 'doctor', 'ls', 'build']

const out: Output = { stream: process.stdout, screen: () => screenOf(process.stdout, process.env) }

async function main([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'run':
      return run(args)
    case 'reload':
      return reload(args)
    case 'doctor':
      return doctor(args, out)
    case 'ls':
      return ls(args, out, onInterrupt)
    case 'build':
      return build(args)
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(`${HELP}\n`)
      return 0
    case '--version':
    case '-V':
      process.stdout.write(`${version()}\n`)
      return 0
    case undefined:
      throw new UsageError(`A command is missing: ${COMMANDS.join(', ')}`)
    default: {
      throw noCommand(command)
    }
  }
}

function noCommand(word: string): UsageError {
  const isOption = word.startsWith('-')
  const hint = hintForCommand(word)
  const known = isOption ? ['--help', '--version'] : COMMANDS
  const nearest = hint === undefined && word.length > 2 ? nearestName(word, known) : undefined
  const advice = hint === undefined ? (nearest === undefined ? '' : `. Did you mean ${nearest}?`) : `: ${hint}`
  return new UsageError(`There is no ${isOption ? 'option' : 'command'} ${word}${advice}`)
}

function onInterrupt(end: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(manifest) as { version: unknown }).version)
}

function fail(error: unknown): number {
  if (error instanceof UsageError && !(error instanceof MissingFileError)) {
    const [, , command = ''] = process.argv
    const of = COMMANDS.includes(command) ? ` ${command}` : ''
    process.stderr.write(`reuseport: ${printableLines(error.message)}\nSee reuseport${of} --help.\n`)
    return 2
  }
  process.stderr.write(`reuseport: ${printableLines(error instanceof Error ? error.message : String(error))}\n`)
  return error instanceof MissingFileError ? 2 : 1
}

// The reader of stdout has closed the pipe (`reuseport ls | head`): success, as in other programs.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The workers of `run` keep serving.
  if (process.argv[2] === 'run') return
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await main(process.argv.slice(2)).catch(fail)
