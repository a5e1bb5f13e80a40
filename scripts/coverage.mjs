// Measures how much of the code the tests run: `npm run coverage [-- word …]`. Words select test files. `--keep` leaves
// the folder, and `--again <folder>` reports it again. The tests must run 95 % of the lines and of the branches of
// TypeScript. C++ is only reported, by gcov; a killed process leaves no counts.
//
// Vitest reports what its own processes ran. Most tests start other processes (coverage-preload.cjs), which run dist/.
// So the copy has each source in dist/ with blanks in place of its types: what V8 counts is at the offset that it has
// in the source, and the counts of all processes add up.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseAst } from 'rolldown/parseAst'
import { nodeBinary } from './nodes.mjs'

const LEAST = { lines: 95, branches: 95 }

const root = fileURLToPath(new URL('..', import.meta.url))
const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: { keep: { type: 'boolean' }, again: { type: 'string' } },
})
const copy = options.again ?? mkdtempSync(path.join(tmpdir(), 'reuseport-coverage-'))
const dist = path.join(copy, 'dist')
const told = path.join(copy, 'told')

function run(command, args, env = {}) {
  const { error, status } = spawnSync(command, args, { cwd: copy, stdio: 'inherit', env: { ...process.env, ...env } })
  if (error) throw error
  return status === 0
}

/** Runs on Node 22 or later, which can put blanks in place of types. */
const BLANK = `
  const { readFileSync, writeFileSync } = require('node:fs')
  const { stripTypeScriptTypes } = require('node:module')
  for (const [from, to] of JSON.parse(readFileSync(0, 'utf8'))) {
    writeFileSync(to, stripTypeScriptTypes(readFileSync(from, 'utf8')))
  }`

function blankTypes() {
  const sources = readdirSync(path.join(copy, 'src'), { recursive: true }).filter((name) => name.endsWith('.ts'))
  const pairs = sources.map((name) => [path.join(copy, 'src', name), path.join(dist, name.replace(/\.ts$/, '.js'))])
  for (const [, to] of pairs) mkdirSync(path.dirname(to), { recursive: true })
  execFileSync(nodeBinary(24), ['--no-warnings', '-e', BLANK], { input: JSON.stringify(pairs) })
  // The supervisor looks for register.js beside its own module. In the package that is dist/, here dist/supervisor/.
  writeFileSync(path.join(dist, 'supervisor/register.js'), "import '../register.js'\n", { flag: 'wx' })
}

/** Runs the tests in a copy of the project whose addon counts lines. */
function runTests(filters) {
  const left = new Set(['.git', '.cache', 'node_modules', 'build', 'dist', 'prebuilds'])
  cpSync(root, copy, { recursive: true, filter: (name) => !left.has(path.relative(root, name)) })
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  mkdirSync(told)
  const flags = '--coverage -O0 -fprofile-update=atomic'
  if (!run(process.execPath, ['scripts/build.mjs'], { CXXFLAGS: flags, LDFLAGS: '--coverage' })) process.exit(1)
  blankTypes()
  // The first process that ends creates the files of the counts. Some tests run as another user, so this creates them
  // before the tests, and lets every user write to them.
  for (const name of ['reuseport', 'test_faults']) {
    execFileSync(process.execPath, ['-e', `require('./build/Release/${name}.node')`], { cwd: copy })
  }
  execFileSync('chmod', ['-R', 'a+rwX', copy])
  return run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--coverage', ...filters], {
    REUSEPORT_COVERAGE: told,
  })
}

/** For each file of dist/, by name: how often the code at each offset ran. Copies of dist/ count too. */
function countRuns(files) {
  const counts = new Map(files.map(({ name, text }) => [name, new Float64Array(text.length + 1)]))
  const reports = readdirSync(told)
  for (const name of reports) {
    let report
    try {
      report = JSON.parse(readFileSync(path.join(told, name), 'utf8'))
    } catch {
      // This process was killed while it wrote its report.
      continue
    }
    for (const { functions, url } of report.result) {
      const ran = counts.get(/\/dist\/(.+)\.js(?:\?.*)?$/.exec(url)?.[1])
      // The first range spans the file. Another length means another file of the same name.
      if (ran?.length === (functions[0]?.ranges[0].endOffset ?? 0) + 1) add(ran, functions)
    }
  }
  console.log(`${reports.length} processes reported what they ran.`)
  return counts
}

/** Adds the counts of one report. Inner ranges come after the outer ranges, and overwrite their counts. */
function add(ran, functions) {
  const here = new Float64Array(ran.length)
  for (const { ranges } of functions) {
    for (const { count, endOffset, startOffset } of ranges) here.fill(count, startOffset, endOffset)
  }
  for (let at = 0; at < here.length; at++) ran[at] += here[at]
}

/** Vitest's counts: the lines that ran, and how often each way of a branch ran, by its kind and line. */
function seenBy({ b, branchMap, s, statementMap }) {
  const lines = new Set()
  for (const [id, { start }] of Object.entries(statementMap)) if (s[id] > 0) lines.add(start.line)
  const ways = new Map()
  const add = (kind, { column, line }, count) => {
    const key = `${kind} ${line}`
    ways.set(key, [...(ways.get(key) ?? []), { column, count }])
  }
  for (const [id, { loc, locations, type }] of Object.entries(branchMap)) {
    if (type === 'if') {
      add('then', loc.start, b[id][0])
      add('else', loc.start, b[id][1] ?? 0)
    } else for (const [index, { start }] of locations.entries()) add(type, start, b[id][index])
  }
  return { lines, ways }
}

/** Vitest's columns come from a source map and are not exact: takes the nearest way of the same kind in the line. */
function seenAt({ ways }, kind, { column, line }) {
  const near = ways.get(`${kind} ${line}`) ?? []
  const distance = (way) => Math.abs(way.column - column)
  return (
    near.reduce((best, way) => (best === undefined || distance(way) < distance(best) ? way : best), undefined)?.count ??
    0
  )
}

const STATEMENT = /Statement$|^VariableDeclaration$/
const NO_STATEMENT = new Set(['BlockStatement', 'EmptyStatement'])

/** The lines with a statement and the ways of branches of a file, and whether each ran. `ran`: in other processes. */
function partsOf(text, ran, seen) {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  const placeOf = (at) => {
    const index = starts.findLastIndex((start) => start <= at)
    return { line: index + 1, column: at - starts[index] }
  }
  const lines = new Map()
  const branches = []
  const way = (kind, at, times = ran[at]) => {
    const place = placeOf(at)
    branches.push({ line: place.line, taken: times > 0 || seenAt(seen, kind, place) > 0 })
  }
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (node === null || typeof node !== 'object' || typeof node.type !== 'string') return
    if (STATEMENT.test(node.type) && !NO_STATEMENT.has(node.type)) {
      const { line } = placeOf(node.start)
      lines.set(line, (lines.get(line) ?? seen.lines.has(line)) || ran[node.start] > 0)
    }
    waysOf(node, way, ran)
    for (const value of Object.values(node)) if (value !== null && typeof value === 'object') visit(value)
  }
  visit(parseAst(text).body)
  return { lines: [...lines].map(([line, taken]) => ({ line, taken })), branches }
}

function waysOf(node, way, ran) {
  switch (node.type) {
    case 'IfStatement': {
      const then = ran[node.consequent.start]
      way('then', node.start, then)
      // A missing else was taken as often as the if ran without its block.
      way('else', node.start, node.alternate ? ran[node.alternate.start] : Math.max(0, ran[node.start] - then))
      break
    }
    case 'ConditionalExpression':
      way('cond-expr', node.consequent.start)
      way('cond-expr', node.alternate.start)
      break
    case 'LogicalExpression':
      if (!isForTheCompiler(node)) way('binary-expr', node.right.start)
      break
    case 'SwitchCase':
      // A case that falls through to the next one has no code.
      if (node.consequent.length > 0) way('switch', node.start, ran[node.consequent[0].start])
      break
    case 'AssignmentPattern':
      way('default-arg', node.right.start)
      break
  }
}

/** `list[index] ?? 0`: the right side only satisfies the compiler (noUncheckedIndexedAccess). */
function isForTheCompiler({ left, operator }) {
  const inner = left.type === 'ParenthesizedExpression' ? left.expression : left
  return operator === '??' && inner.type === 'MemberExpression' && inner.computed
}

const percent = (part, whole) => (whole === 0 ? 100 : (100 * part) / whole)
const shareOf = (parts) => percent(parts.filter(({ taken }) => taken).length, parts.length)
const missedIn = (parts) =>
  [...new Set(parts.filter(({ taken }) => !taken).map(({ line }) => line))].join(' ') || 'none'

function reportTypeScript() {
  const seen = JSON.parse(readFileSync(path.join(copy, 'coverage/coverage-final.json'), 'utf8'))
  const source = path.join(copy, 'src')
  const files = Object.values(seen).map((file) => {
    const name = path.relative(source, file.path).replace(/\.ts$/, '')
    return { name, data: file, text: readFileSync(path.join(dist, `${name}.js`), 'utf8') }
  })
  const counts = countRuns(files)
  const all = { lines: [], branches: [] }
  for (const { data, name, text } of files) {
    const { branches, lines } = partsOf(text, counts.get(name), seenBy(data))
    all.lines.push(...lines)
    all.branches.push(...branches)
    if (shareOf(lines) >= LEAST.lines && shareOf(branches) >= LEAST.branches) continue
    const shares = `${shareOf(lines).toFixed(1)} % of lines, ${shareOf(branches).toFixed(1)} % of branches`
    console.log(`${name}.ts: ${shares}; missed: lines ${missedIn(lines)}, branches of lines ${missedIn(branches)}`)
  }
  const [lines, branches] = [shareOf(all.lines), shareOf(all.branches)]
  console.log(
    `TypeScript: ${lines.toFixed(1)} % of ${all.lines.length} lines, ${branches.toFixed(1)} % of ${all.branches.length} branches.`,
  )
  return lines >= LEAST.lines && branches >= LEAST.branches
}

function reportNative() {
  const objects = path.join(copy, 'build/Release/obj.target')
  const lines = new Map()
  for (const name of readdirSync(objects, { recursive: true }).filter((file) => file.endsWith('.gcda'))) {
    const json = execFileSync('gcov', ['--json-format', '--stdout', path.join(objects, name)], {
      cwd: path.join(copy, 'build'),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    for (const text of json.split('\n').filter((line) => line.startsWith('{'))) {
      for (const { file, lines: counted } of JSON.parse(text).files) {
        const known = /src-native\/.*\.(?:cc|h)$/.exec(file)?.[0]
        for (const { count, line_number } of known === undefined ? [] : counted) {
          const key = `${known}:${line_number}`
          lines.set(key, (lines.get(key) ?? 0) + count)
        }
      }
    }
  }
  const missed =
    Map.groupBy === undefined
      ? new Map()
      : Map.groupBy(
          [...lines].filter(([, count]) => count === 0),
          ([key]) => key.split(':')[0],
        )
  for (const [file, keys] of missed) console.log(`${file}: missed ${keys.map(([key]) => key.split(':')[1]).join(' ')}`)
  const ran = [...lines.values()].filter((count) => count > 0).length
  console.log(`C++: ${percent(ran, lines.size).toFixed(1)} % of ${lines.size} lines.`)
}

try {
  const passed = options.again !== undefined || runTests(positionals)
  const enough = reportTypeScript()
  reportNative()
  if (!passed) console.error('Some tests failed.')
  if (!enough)
    console.error(`The tests must run ${LEAST.lines} % of the lines and ${LEAST.branches} % of the branches.`)
  process.exitCode = passed && enough ? 0 : 1
} finally {
  if (!(options.keep || options.again)) rmSync(copy, { recursive: true, force: true })
  else console.log(`Kept: ${copy}`)
}
