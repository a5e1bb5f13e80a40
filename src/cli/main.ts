#!/usr/bin/env node
// Room: the command `reuseport`. It imports what users import, and pure helpers.
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { nearestName } from '../options/option-names.js'
import { MissingFileError, UsageError } from './arguments.js'
import { BUILD_HELP, build } from './build.js'
import { COMPLETION_HELP, completion } from './completion.js'
import { DOCTOR_HELP, doctor } from './doctor.js'
import { HELP_HELP, help } from './help.js'
import { LS_HELP, ls, type Output } from './ls.js'
import { hintForCommand } from './other-words.js'
import { RELOAD_HELP, reload } from './reload.js'
import { RUN_HELP, run } from './run.js'
import { SCALE_HELP, scale } from './scale.js'
import { STATUS_HELP, status } from './status.js'
import { STOP_HELP, stop } from './stop.js'
import { SYSTEMD_HELP, systemd } from './systemd.js'
import { printableLines, screenOf } from './terminal.js'

const HELP = `Usage: reuseport <command> [options]

  run         run a program in several processes that share its ports
  status      show supervisors and how their workers are
  reload      replace the workers of a running supervisor
  scale       change the number of its workers
  stop        drain its workers and end it
  doctor      show what this system supports for port sharing
  ls          list the processes on each port, with queues and drops
  build       compile the addon where the package has no binary
  systemd     print a unit of systemd that runs a program
  completion  print the script by which bash or zsh completes these commands
  help        print the help of a command, or show the manual

  -h, --help     print this help, or the help of a command
  -V, --version  print the version

Exit codes: 0 success, 1 failure, 2 wrong usage.`

const COMMANDS = ['run', 'status', 'reload', 'scale', 'stop', 'doctor', 'ls', 'build', 'systemd', 'completion', 'help']

const out: Output = { stream: process.stdout, screen: () => screenOf(process.stdout, process.env) }

async function main([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'run':
      return run(args)
    case 'status':
      return status(args, out)
    case 'reload':
      return reload(args)
    case 'scale':
      return scale(args)
    case 'stop':
      return stop(args)
    case 'doctor':
      return doctor(args, out)
    case 'ls':
      return ls(args, out, onInterrupt)
    case 'build':
      return build(args)
    case 'systemd':
      return systemd(args)
    case 'completion':
      return completion(args, HELP, HELPS)
    case 'help':
      return help(args, HELP, HELPS)
    case '--help':
    case '-h':
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

const HELPS: Readonly<Record<string, string>> = {
  run: RUN_HELP,
  status: STATUS_HELP,
  reload: RELOAD_HELP,
  scale: SCALE_HELP,
  stop: STOP_HELP,
  doctor: DOCTOR_HELP,
  ls: LS_HELP,
  build: BUILD_HELP,
  systemd: SYSTEMD_HELP,
  completion: COMPLETION_HELP,
  help: HELP_HELP,
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
