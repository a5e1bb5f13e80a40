// What a user probably meant by a script that is not there.
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { nearestName } from '../options/option-names.js'

const MANAGERS: readonly string[] = ['npm', 'npx', 'yarn', 'pnpm', 'bun']
const BELOW: readonly string[] = ['dist', 'build', 'src', 'lib']
const EXTENSIONS: readonly string[] = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']

interface Asked {
  readonly script: string
  readonly args: readonly string[]
  /** The folder that the script is looked for in. */
  readonly folder: string
  /** The folder of this process. */
  readonly here: string
}

/** A sentence without its full stop: that the script is missing, and what to type. */
export function noScriptText(asked: Asked): string {
  const { script, args, folder, here } = asked
  const named = folder === here ? folder : `${folder} (--cwd)`
  const where = path.isAbsolute(script) ? '' : ` in ${named}`
  const found = path.resolve(folder, script)
  if (isFolder(found)) return `There is no program in the folder ${script}: ${ofPackage(found, folder)}`
  const advice = adviceFor(asked, args) ?? nearFile(found, folder)
  return `There is no script ${script}${where}${advice === undefined ? '' : `: ${advice}`}`
}

function adviceFor({ script, folder, here }: Asked, args: readonly string[]): string | undefined {
  if (script === 'node' || script === 'nodejs')
    return `reuseport starts Node itself: reuseport run ${args.join(' ') || 'server.js'}`
  if (MANAGERS.includes(script)) return ofManager(script, args, folder)
  if (elsewhereIs(script, folder, here))
    return `its path starts there: ${path.relative(folder, path.resolve(here, script))}`
  return /[/\\.]/.test(script) ? undefined : ofCommand(script, args, folder)
}

function elsewhereIs(script: string, folder: string, here: string): boolean {
  return folder !== here && existsSync(path.resolve(here, script))
}

/** `next start`: a command that a package installs. */
function ofCommand(name: string, args: readonly string[], folder: string): string | undefined {
  const program = programOf(name, folder)
  if (program === undefined) return undefined
  return `it is a command, whose program is: reuseport run ${[program, ...args].join(' ')}`
}

/** `npm start`, `npx next start`: workers are not started by another program. */
function ofManager(manager: string, args: readonly string[], folder: string): string {
  const words = args.filter((word) => word !== 'run' && word !== 'exec')
  const [name = 'start'] = words
  const script = scriptsIn(folder)[name]
  const more = script === undefined ? ofCommand(name, words.slice(1), folder) : `${name} is ${shown(script, folder)}`
  return `${manager} would start the program, and signals, reloads and ports would miss it: name the program itself${more === undefined ? '' : `; ${more}`}`
}

function ofPackage(package_: string, folder: string): string {
  const { start } = scriptsIn(package_)
  const text = 'it has neither an index.js nor a "main" in its package.json'
  return start === undefined ? `${text}: name the script` : `${text}; npm start is ${shown(start, folder)}`
}

/** A script of package.json, and what runs the same here. */
function shown(command: string, folder: string): string {
  const [first = '', ...rest] = command.trim().split(/\s+/)
  // Variables, pipes and quotes are the shell's.
  const isPlain = !/[=&|;<>$`'"\\]/.test(command)
  const program = first === 'node' ? '' : (programOf(first, folder) ?? undefined)
  if (!isPlain || program === undefined || (program === '' && rest[0]?.startsWith('-') !== false)) return `'${command}'`
  return `'${command}': reuseport run ${[program, ...rest].filter(Boolean).join(' ')}`
}

/** The file of a command in node_modules/.bin, of this folder or one above. Shims of pnpm are no JavaScript. */
function programOf(name: string, folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    const modules = path.join(at, 'node_modules')
    const program = linkedProgram(path.join(modules, '.bin', name)) ?? declaredProgram(path.join(modules, name), name)
    if (program !== undefined) return path.relative(folder, program)
    if (at === path.dirname(at)) return undefined
  }
}

function linkedProgram(file: string): string | undefined {
  const real = attempt(() => realpathSync(file))
  const isProgram = real !== undefined && (/\.[cm]?js$/.test(real) || /^#!.*\bnode\b/.test(firstLine(real)))
  return isProgram ? real : undefined
}

function declaredProgram(package_: string, name: string): string | undefined {
  const { bin } = manifestIn(package_)
  const file = typeof bin === 'object' && bin !== null ? (bin as Record<string, unknown>)[name] : bin
  return typeof file === 'string' ? path.join(package_, file) : undefined
}

/** Another extension, another folder, a slip. */
function nearFile(missing: string, folder: string): string | undefined {
  const stem = missing.replace(/\.[^./\\]+$/, '')
  const places = [path.dirname(missing), ...BELOW.map((name) => path.join(folder, name))]
  const candidates = places.flatMap((place) => EXTENSIONS.map((end) => path.join(place, path.basename(stem) + end)))
  const other = candidates.find((file) => file !== missing && existsSync(file))
  const names = attempt(() => readdirSync(path.dirname(missing))) ?? []
  const near =
    other ??
    nearestName(
      path.basename(missing),
      names.filter((name) => EXTENSIONS.includes(path.extname(name))),
    )
  return near === undefined
    ? undefined
    : `did you mean ${path.relative(folder, path.resolve(path.dirname(missing), near))}?`
}

function scriptsIn(folder: string): Readonly<Record<string, string>> {
  const { scripts } = manifestIn(folder)
  const entries = typeof scripts === 'object' && scripts !== null ? Object.entries(scripts) : []
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

function manifestIn(folder: string): Readonly<Record<string, unknown>> {
  const manifest: unknown = attempt(() => JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')))
  return typeof manifest === 'object' && manifest !== null ? (manifest as Record<string, unknown>) : {}
}

function firstLine(file: string): string {
  return attempt(() => readFileSync(file, 'latin1').slice(0, 200).split('\n')[0]) ?? ''
}

function isFolder(file: string): boolean {
  return attempt(() => statSync(file).isDirectory()) ?? false
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
