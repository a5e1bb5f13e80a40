// Runs the coverage-guided fuzzers of test/native/fuzz, two at a time: node scripts/fuzz.mjs [seconds] [target …].
// Needs Linux, and clang with libFuzzer. The fuzzers write their findings to .cache/fuzz; make a test of each. `--keep`
// adds the inputs that reach new code to the seeds in test/native/fuzz/seeds.
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { takeTurns } from './take-turns.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = path.join(root, '.cache/fuzz')
const fuzzers = path.join(root, 'test/native/fuzz')

const SYS = ['core/sys.cc', 'platform/linux/pidfd.cc', 'platform/linux/cpus.cc']

const TARGETS = {
  dump_parser: { sources: ['platform/linux/dump_parser.cc'], longest: 4096 },
  unix_name_parser: { sources: ['platform/linux/unix_name_parser.cc'], longest: 1024 },
  address: { sources: ['core/address.cc', ...SYS], longest: 256 },
  filter_program: { sources: ['core/filter_check.cc', 'core/filter_program.cc'], longest: 512 },
  option_value: { sources: ['core/socket_option.cc', 'core/option_table.cc', ...SYS], longest: 512 },
}

/** A seed file has one line for each seed, in base64. */
const seedFile = (name) => path.join(fuzzers, 'seeds', `${name}.txt`)

function readSeeds(name) {
  const lines = readFileSync(seedFile(name), 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => Buffer.from(line, 'base64'))
}

const idOf = (bytes) => createHash('sha1').update(bytes).digest('hex')

function writeAll(folder, inputs) {
  mkdirSync(folder, { recursive: true })
  for (const bytes of inputs) writeFileSync(path.join(folder, idOf(bytes)), bytes)
}

function compile(name, sources) {
  const binary = path.join(cache, name)
  const flags = ['-std=c++17', '-O1', '-g', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all']
  const files = [`test/native/fuzz/${name}.cc`, ...sources.map((source) => `src-native/${source}`)]
  execFileSync('clang++', [...flags, '-Isrc-native', ...files, '-o', binary], { cwd: root, stdio: 'inherit' })
  return binary
}

function runFuzzer(binary, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (status) => {
      if (status === 0) return resolve(stderr)
      process.stderr.write(stderr)
      process.exit(1)
    })
  })
}

async function fuzz(name, { longest, sources }, seconds) {
  const corpus = path.join(cache, `${name}.corpus`)
  writeAll(corpus, readSeeds(name))
  const binary = compile(name, sources)
  const stderr = await runFuzzer(binary, [
    `-max_total_time=${seconds}`,
    `-artifact_prefix=${cache}/${name}-`,
    `-max_len=${longest}`,
    '-print_final_stats=1',
    corpus,
  ])
  const runs = Number(/number_of_executed_units: (\d+)/.exec(stderr)?.[1])
  const coverage = stderr.match(/cov: (\d+)/g)?.at(-1)
  const kept = readdirSync(corpus).length
  console.log(`${name}: ${runs} runs in ${seconds} s, ${coverage}, ${kept} inputs, nothing found`)
  if (!(runs > 0)) process.exit(1)
}

/** Writes the smallest set of inputs with the same coverage to the seed file. */
async function keep(name) {
  const merged = path.join(cache, `${name}.merged`)
  rmSync(merged, { recursive: true, force: true })
  mkdirSync(merged)
  await runFuzzer(path.join(cache, name), ['-merge=1', merged, path.join(cache, `${name}.corpus`)])
  const lines = readdirSync(merged).map((file) => readFileSync(path.join(merged, file)).toString('base64'))
  writeFileSync(seedFile(name), `${lines.sort().join('\n')}\n`)
  console.log(`${name}: ${lines.length} seeds`)
}

const words = process.argv.slice(2)
const names = words.filter((word) => word in TARGETS)
const seconds = Number(words.find((word) => /^\d+$/.test(word)) ?? 120)
if (words.some((word) => !(word in TARGETS || /^[1-9]\d*$/.test(word) || word === '--keep'))) {
  console.error(
    `Usage: node scripts/fuzz.mjs [seconds for each target, default 120] [${Object.keys(TARGETS).join(' | ')}] [--keep]`,
  )
  process.exit(2)
}
mkdirSync(cache, { recursive: true })
const queue = names.length > 0 ? names : Object.keys(TARGETS)
for (const name of queue) if (!existsSync(seedFile(name))) throw new Error(`${seedFile(name)} is missing`)
await takeTurns(queue, 2, (name) => fuzz(name, TARGETS[name], seconds))
if (words.includes('--keep')) for (const name of queue) await keep(name)
