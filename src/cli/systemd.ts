import { existsSync, realpathSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { MissingFileError, UsageError } from './arguments.js'
import { currentFolder } from './current-folder.js'
import { parseSystemdArguments, type SystemdArguments } from './systemd-arguments.js'
import { printable } from './terminal.js'
import { serviceUnit, socketUnit, type Unit } from './unit.js'
import { whyNoValue } from './unit-quoting.js'

export const SYSTEMD_HELP = `Usage: reuseport systemd [options] [run options] script [args ...]

Prints a unit of systemd that runs a program by reuseport run, with these
options, from the current folder, with this Node and this copy of reuseport.
systemctl start and reload wait until the workers serve, stop until they have
drained.

  --name <name>    name of the unit (default: that of the script)
  --user <name>    user of the service (default: who runs this; for root, who
                   called sudo)
  --socket <port>  also print a socket unit, by which systemd opens this port,
                   or address:port, and holds it over restarts; may be given
                   several times
  --out <folder>   write the units into this folder, such as
                   /etc/systemd/system, in place of printing them
  -h, --help       print this help

The options of reuseport run are passed on to it. TimeoutStopSec= follows from
--drain-timeout.

Exit codes: 0 success, 1 a unit cannot be written, 2 wrong usage.`

/** Defaults of the supervisor, in ms. */
export const DRAIN_TIMEOUT = 10_000
export const GRACE = 50

export function systemd(args: readonly string[]): number {
  const parsed = parseSystemdArguments(args)
  if (parsed === 'help') {
    process.stdout.write(`${SYSTEMD_HELP}\n`)
    return 0
  }
  const unit = toUnit(parsed)
  const units = [{ file: `${unit.name}.service`, text: serviceUnit(unit) }]
  if (unit.sockets.length > 0) units.push({ file: `${unit.name}.socket`, text: socketUnit(unit) })
  for (const warning of warningsOf(unit)) say(warning)
  if (parsed.out === undefined) {
    process.stdout.write(units.map(({ text }) => text).join('\n'))
    return 0
  }
  for (const { file, text } of units) write(path.resolve(parsed.out, file), text)
  const first = units.at(-1)?.file ?? ''
  say(`then: systemctl daemon-reload && systemctl enable --now ${first}`)
  return 0
}

function say(text: string): void {
  process.stderr.write(`reuseport: ${printable(text)}\n`)
}

function toUnit({ args, name, options, sockets, user }: SystemdArguments): Unit {
  const folder = currentFolder(process.env['PWD'])
  const why = whyNoValue(folder)
  if (why !== undefined) throw new Error(`a unit cannot name the folder ${folder}: ${why}`)
  const script = String(options.script)
  const cwd = path.resolve(folder, options.cwd ?? '')
  if (!existsSync(path.resolve(cwd, script))) throw new MissingFileError(`There is no script ${script}`)
  const main = ownFile(folder)
  return {
    name: name ?? path.basename(script, path.extname(script)).replaceAll(/[^\w:.-]+/g, '-'),
    script: path.basename(script).replaceAll(/\p{Cc}/gu, ' '),
    command: [process.execPath, ...process.execArgv, main],
    args,
    folder,
    user: user ?? ownUser(),
    drainTimeout: options.drainTimeout ?? DRAIN_TIMEOUT,
    grace: options.grace ?? GRACE,
    sockets,
    isBelowHome: [process.execPath, main, folder, path.resolve(cwd, script)].some(isBelowHome),
  }
}

/** As the current folder and its parents name it: Node and pnpm resolve links, which a release or an upgrade moves. */
function ownFile(folder: string): string {
  const main = realpathSync(fileURLToPath(import.meta.url))
  for (let above = folder; ; above = path.dirname(above)) {
    const file = path.join(above, 'node_modules/reuseport/dist/cli/main.js')
    if (existsSync(file) && realpathSync(file) === main) return file
    if (above === path.dirname(above)) return main
  }
}

function isBelowHome(file: string): boolean {
  return /^\/(?:home|root|run\/user)\//.test(file) || /^\/(?:home|root|run\/user)\//.test(existing(file))
}

function existing(file: string): string {
  return existsSync(file) ? realpathSync(file) : file
}

function ownUser(): string | undefined {
  const { uid, username } = whoRuns()
  if (uid !== 0) return username
  const caller = process.env['SUDO_USER']
  return caller !== undefined && /^[\w.-]+$/.test(caller) && caller !== 'root' ? caller : undefined
}

function whoRuns(): { readonly uid: number; readonly username: string } {
  try {
    return userInfo()
  } catch {
    // A user without an entry in /etc/passwd.
    const uid = process.getuid?.() ?? 0
    return { uid, username: String(uid) }
  }
}

function* warningsOf({ command, user }: Unit): Generator<string> {
  if (user === undefined) yield 'the unit names no user, so the program runs as root: give --user'
  const main = command.at(-1) ?? ''
  if (/[/\\](?:_npx|dlx-[^/]*|bunx-[^/]*)[/\\]/.test(main)) {
    yield `this copy of reuseport is in a cache that may be cleared (${main}): install it in the project, and use that one`
  }
}

/** An edited unit is not overwritten. */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new Error(`${file} is there already: remove it, or print the unit without --out`)
    if (code === 'ENOENT') throw new UsageError(`There is no folder ${path.dirname(file)} (--out)`)
    throw new Error(`${file} cannot be written: ${message}`)
  }
  say(`wrote ${file}`)
}
