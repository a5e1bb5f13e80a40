import process from 'node:process'
import { ask, controlFiles } from '../supervisor.js'
import { parseFlags, UsageError } from './arguments.js'

export const RELOAD_HELP = `Usage: reuseport reload [pid]

Asks a supervisor (reuseport run) to replace its workers one after the other,
and waits for the result. The pid is that of the supervisor. It may be left out
where this user has only one supervisor.

  -h, --help   print this help

Exit codes: 0 the new workers serve, 1 the reload failed (the remaining old
workers keep serving) or the supervisor was not found, 2 wrong usage.`

export async function reload(args: readonly string[]): Promise<number> {
  const { flags, rest } = parseFlags(args, { help: 'boolean' })
  if (flags.has('--help')) {
    process.stdout.write(`${RELOAD_HELP}\n`)
    return 0
  }
  const file = find(rest)
  const started = performance.now()
  try {
    await ask<unknown>(file, 'reload')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ECONNREFUSED' || code === 'ENOENT') throw new Error('the supervisor has ended in the meantime')
    throw new Error(`reload failed: ${message}`)
  }
  process.stdout.write(`The new workers serve, after ${((performance.now() - started) / 1000).toFixed(1)} s.\n`)
  return 0
}

function find(rest: readonly string[]): string {
  const [text, ...more] = rest
  if (more.length > 0) throw new UsageError(`reload takes one pid, and got ${rest.length}`)
  if (text !== undefined && !/^\d+$/.test(text)) throw new UsageError(`'${text}' is not a pid: a pid is a number`)
  const all = controlFiles()
  const found = text === undefined ? all : all.filter(({ pid }) => pid === Number(text))
  const [only, other] = found
  const known = all.length === 0 ? 'none' : all.map(({ pid }) => pid).join(', ')
  if (only === undefined) throw new Error(`this user has no such supervisor (running: ${known})`)
  if (other !== undefined) throw new UsageError(`There are several supervisors: give the pid of one of ${known}`)
  return only.file
}
