// Writes the types and the reference of the socket options from the table in the addon
// (src-native/core/option_table.cc). Run it after a change of the table. `--check` only compares, and exits with 1 if a
// file is stale; a test calls it.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)

const INT_MAX = 2 ** 31 - 1

const KIND_NAMES = { boolean: 'a boolean', integer: 'a number', text: 'text', 'time or false': 'a number or false' }

const SYSTEM_NAMES = {
  linux: 'Linux',
  android: 'Android',
  freebsd: 'FreeBSD',
  openbsd: 'OpenBSD',
  netbsd: 'NetBSD',
  darwin: 'macOS',
  sunos: 'Solaris',
  aix: 'AIX',
}

/** Path and text of each file that is generated from the table. */
function generated() {
  const rows = require(path.join(root, 'build/Release/reuseport.node')).socketOptions
  return [...typeFiles(rows), referenceFile(rows)].map(({ file, text }) => ({ file, text: format(file, text) }))
}

const ORIGIN = '// Written by scripts/generate-options.mjs from src-native/core/option_table.cc.'

function typeFiles(rows) {
  const both = rows.filter((row) => row.tcp && row.udp)
  const tcp = rows.filter((row) => row.tcp && !row.udp)
  const udp = rows.filter((row) => row.udp && !row.tcp)
  const common = `${ORIGIN}

/** Options that both TCP and UDP sockets take. */
export interface CommonOptions {
${members(both)}
}

/** The values of these options, read back from a socket. */
export interface CommonOptionValues {
${readMembers(both)}
}
`
  return [
    { file: 'src/options/common-option-types.ts', text: common },
    { file: 'src/options/socket-option-types.ts', text: typesOf('SocketOptions', 'TCP', 'tcp(7)', tcp) },
    { file: 'src/options/datagram-option-types.ts', text: typesOf('DatagramSocketOptions', 'UDP', 'udp(7)', udp) },
  ]
}

function typesOf(name, transport, manual, rows) {
  const values = readTypeOf(name)
  return `${ORIGIN}
import type { CommonOptions, CommonOptionValues } from './common-option-types.js'

/** Options of a ${transport} socket that shares its port. \`socket(7)\`, \`${manual}\`, \`ip(7)\`, \`ipv6(7)\`. */
export interface ${name} extends CommonOptions {
${members(rows)}
  /** Options to leave out where this system lacks or denies them. A value that the system refuses is still an error. */
  readonly optional?: readonly (keyof ${values})[] | undefined
}

/** The values of \`${name}\`, read back from a socket. */
export interface ${values} extends CommonOptionValues {
${readMembers(rows)}
}
`
}

function members(rows) {
  const wholes = rows.filter((row) => !row.name.includes('.'))
  return wholes.map((row) => `${docstring(row)}\n  readonly ${row.name}?: ${typeOf(row, rows)} | undefined`).join('\n')
}

function readMembers(rows) {
  const wholes = rows.filter((row) => !row.name.includes('.'))
  return wholes.map((row) => `  readonly ${row.name}: ${typeOf(row, rows, true)}`).join('\n')
}

function readTypeOf(name) {
  return name.replace(/Options$/, 'OptionValues')
}

function typeOf(row, rows, read = false) {
  const parts = rows.filter(({ name }) => name.startsWith(`${row.name}.`))
  if (parts.length > 0) {
    const members = parts.map((part) => {
      const type = `${typeOf(part, rows)} | undefined`
      const name = part.name.split('.')[1]
      return read ? `readonly ${name}?: ${type}` : `${docstring(part)}\nreadonly ${name}?: ${type}`
    })
    return `${read ? 'false' : 'boolean'} | { ${members.join('\n')} }`
  }
  return { boolean: 'boolean', integer: 'number', text: 'string', 'time or false': 'number | false' }[row.kind]
}

function docstring(row) {
  const lines = wrap(`${row.about} ${facts(row)} \`${row.manual}\`.`, 112)
  return `/**\n${lines.map((line) => ` * ${line}`).join('\n')}\n */`
}

/** The range, unit and default of an option, whether accepted sockets inherit it, its capability, and its systems. */
function facts(row) {
  const sentences = []
  if (row.kind === 'integer') {
    const range = row.maximum === INT_MAX ? `${row.minimum} or more` : `${row.minimum} to ${row.maximum}`
    sentences.push(`${range}${row.unit ? ` ${row.unit}` : ''}.`)
  }
  if (row.kind === 'time or false') sentences.push(`false, or ${row.minimum} to ${row.maximum} ${row.unit}.`)
  if (row.kind === 'text') sentences.push(`${row.minimum} to ${row.maximum} bytes.`)
  sentences.push("Default: the system's.")
  if (row.tcp) sentences.push(row.inherited ? 'Accepted sockets inherit it.' : 'Accepted sockets do not have it.')
  if (row.capability) sentences.push(`May take ${row.capability}.`)
  const systems = row.systems.split(' ').map((system) => SYSTEM_NAMES[system])
  sentences.push(
    systems.length === Object.keys(SYSTEM_NAMES).length ? 'Every system that shares ports.' : `${systems.join(', ')}.`,
  )
  return sentences.join(' ')
}

function referenceFile(rows) {
  const file = 'docs/socket-options.md'
  const [before, after] = readText(file).split(/(?<=<!-- table -->\n)(?:.|\n)*(?=<!-- end -->)/)
  const sections = rows.map((row) => {
    const transports = [row.tcp && 'TCP', row.udp && 'UDP'].filter(Boolean).join(' and ')
    const parts = rows.some(({ name }) => name.startsWith(`${row.name}.`)) ? ' or an object of its parts' : ''
    const type = KIND_NAMES[row.kind] + parts
    const stage = row.stage.replace('-', ' ').replace('creation', 'when the socket is created')
    return `### \`${row.name}\`\n\n${row.about}\n\n${transports}, ${type}, set ${stage}. ${facts(row)} \`${row.manual}\`.\n`
  })
  return { file, text: `${before}\n${sections.join('\n')}\n${after}` }
}

function readText(file) {
  const full = path.join(root, file)
  return existsSync(full) ? readFileSync(full, 'utf8') : ''
}

function wrap(text, width) {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines
}

function format(file, text) {
  const biome = path.join(root, 'node_modules/.bin/biome')
  return execFileSync(biome, ['format', `--stdin-file-path=${file}`], { cwd: root, input: text, encoding: 'utf8' })
}

const stale = generated().filter(({ file, text }) => readText(file) !== text)
if (process.argv[2] === '--check') {
  for (const { file } of stale) console.error(`${file} is stale: run node scripts/generate-options.mjs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const { file, text } of stale) writeFileSync(path.join(root, file), text)
}
