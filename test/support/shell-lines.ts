// What the commands in shell snippets, units, manifests and package scripts say, held to what takes them.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { parseRunArguments } from '../../src/cli/run-arguments.js'
import { parseSystemdArguments } from '../../src/cli/systemd-arguments.js'
import { root } from './snippets.js'

const main = path.join(root, 'dist/cli/main.js')
const scripts = Object.keys(
  (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts,
)

/** Words before the command itself. */
const BEFORE = new Set(['sudo', 'exec', 'npx', 'nice', 'if', 'then', 'else', 'fi', '!'])
/** How the command of this package is named. */
const OURS = /^(?:\S*\/)?reuseport$|\/cli\/main\.js$/

/** Commands of several lines, with words and quotes as far as snippets have them. */
export function commandsOf(code: string): readonly (readonly string[])[] {
  return (
    code
      .replaceAll('\\\n', ' ')
      .replaceAll(/\$\([^)]*\)/g, 'text')
      .replaceAll(/\bsudo -u \S+/g, 'sudo')
      .split('\n')
      .map((line) => line.replace(/(^|\s)#.*/, ''))
      // What is quoted separates nothing.
      .map((line) => line.replaceAll(/'[^']*'|"[^"]*"/g, (quoted) => quoted.replaceAll(/[|;&]/g, ' ')))
      .flatMap((line) => line.split(/&&|\|\||[|;&]/))
      .map((command) => wordsOf(command))
      .filter((words) => words.length > 0)
  )
}

export function wordsOf(command: string): readonly string[] {
  const words = [...command.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replaceAll(/["']/g, ''))
  while (BEFORE.has(words[0] ?? '') || /^\w+=/.test(words[0] ?? '')) words.shift()
  // `node --option path/to/reuseport run` is the command too.
  const own = words.findIndex((word) => OURS.test(word))
  return own > 0 && /^(?:\S*\/)?node$/.test(words[0] ?? '') ? words.slice(own) : words
}

/** The program of a command that is neither of this package nor of this repository. */
export function foreignProgram([name = '', first = '']: readonly string[]): string | undefined {
  const isOurs =
    OURS.test(name) || (name === 'npm' && /^(?:run|test)$/.test(first)) || (name === 'node' && isExample(first))
  return isOurs ? undefined : name
}

const isExample = (name: string): boolean => name.startsWith('examples/')

/** Holds a command of this package or repository to its own parser. @throws where that refuses it */
export function checkCommand([name = '', ...args]: readonly string[]): void {
  if (OURS.test(name)) checkOwn(args)
  else if (name === 'npm' && args[0] === 'run') checkScript(args[1])
  else if (name === 'npm' && args[0] === 'test') checkScript('test')
  else if (name === 'node' && isExample(args[0] ?? '')) checkFile(args[0])
  else if (name === 'docker' || name === 'kubectl') {
    // `docker exec <container> reuseport ls`
    const own = args.findIndex((word) => OURS.test(word))
    if (own >= 0) checkOwn(args.slice(own + 1))
  }
}

function checkOwn([command = '', ...args]: readonly string[]): void {
  if (command === 'run') parseRunArguments(args)
  else if (command === 'systemd') parseSystemdArguments(args)
  else askForHelp([command, ...args.filter((one) => one.startsWith('-'))])
}

const known = new Set<string>()

/** The other commands print their help where every option is known. Each is started once for the same options. */
function askForHelp(args: readonly string[]): void {
  if (known.has(args.join(' '))) return
  execFileSync(process.execPath, [main, ...args, '--help'], { stdio: 'pipe' })
  known.add(args.join(' '))
}

function checkScript(name = ''): void {
  if (!scripts.includes(name)) throw new Error(`package.json has no script '${name}'`)
}

function checkFile(name = ''): void {
  if (!existsSync(path.join(root, name))) throw new Error(`There is no ${name}`)
}

/** Every command line of this package in a text, such as a string in JSON. */
export function ownCommandsIn(text: string): readonly (readonly string[])[] {
  return commandsOf(text).filter(([name = '']) => OURS.test(name))
}
