import process from 'node:process'
import { ask, controlFiles } from '../supervisor.js'
import { parseFlags, UsageError } from './arguments.js'

export const RELOAD_HELP = `Usage: reuseport reload [pid]

Has a supervisor (reuseport run) replace its workers one after the other, and
waits until they are. The pid is that of the supervisor; it may be left out
where there is only one.

  -h, --help   print this

Exit codes: 0 the new workers serve, 1 they do not (the old ones go on), or there
is no such supervisor, 2 usage.`

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
    if (code === 'ECONNREFUSED' || code === 'ENOENT') throw new Error('that supervisor has gone')
    throw new Error(`reload failed: ${message}`)
  }
  process.stdout.write(`The new workers serve, after ${((performance.now() - started) / 1000).toFixed(1)} s.\n`)
  return 0
}

function find(rest: readonly string[]): string {
  const [text, ...more] = rest
  if (more.length > 0) throw new UsageError('One pid at a time')
  if (text !== undefined && !/^\d+$/.test(text)) throw new UsageError(`'${text}' is no pid`)
  const all = controlFiles()
  const found = text === undefined ? all : all.filter(({ pid }) => pid === Number(text))
  const [only, other] = found
  const known = all.length === 0 ? 'none' : all.map(({ pid }) => pid).join(', ')
  if (only === undefined) throw new Error(`there is no such supervisor of this user (there is: ${known})`)
  if (other !== undefined) throw new UsageError(`There are several supervisors, name one: ${known}`)
  return only.file
}
