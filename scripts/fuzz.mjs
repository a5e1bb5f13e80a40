// Runs the coverage-guided fuzzers of test/native/fuzz for a time each: node scripts/fuzz.mjs [seconds]. Linux, clang with
// its libFuzzer. What they find is written to .cache/fuzz, and becomes a test.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = path.join(root, '.cache/fuzz')

const TARGETS = {
  dump_parser: { sources: ['src-native/platform/linux/dump_parser.cc'], seeds: dumpParserSeeds },
}

/** A reply of the kernel: a header, a socket with two attributes, the end. */
function dumpParserSeeds() {
  const done = Buffer.from('1400000003000200010000000000000000000000', 'hex')
  const socket = Buffer.alloc(16 + 72 + 40 + 8)
  socket.writeUInt32LE(socket.length, 0)
  socket.writeUInt16LE(20, 4)
  socket.writeUInt32LE(1, 8)
  socket.set([2, 10], 16)
  socket.set([40, 0, 7, 0], 88)
  socket.set([5, 0, 11, 0, 1], 128)
  const withSequence = (bytes) => Buffer.concat([Buffer.of(1), bytes])
  return [withSequence(done), withSequence(socket), withSequence(Buffer.concat([socket, socket, done]))]
}

function compile(name, sources) {
  const binary = path.join(cache, name)
  const flags = ['-std=c++17', '-O1', '-g', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all']
  const files = [`test/native/fuzz/${name}.cc`, ...sources]
  execFileSync('clang++', [...flags, '-Isrc-native', ...files, '-o', binary], { cwd: root, stdio: 'inherit' })
  return binary
}

function fuzz(name, { sources, seeds }, seconds) {
  const corpus = path.join(cache, `${name}.corpus`)
  mkdirSync(corpus, { recursive: true })
  for (const [index, seed] of seeds().entries()) writeFileSync(path.join(corpus, `seed-${index}`), seed)
  const binary = compile(name, sources)
  const options = [
    `-max_total_time=${seconds}`,
    `-artifact_prefix=${cache}/${name}-`,
    '-max_len=4096',
    '-print_final_stats=1',
  ]
  const { status, stderr } = spawnSync(binary, [...options, corpus], { encoding: 'utf8' })
  if (status !== 0) {
    process.stderr.write(stderr)
    process.exit(1)
  }
  const runs = /number_of_executed_units: (\d+)/.exec(stderr)?.[1]
  const coverage = stderr.match(/cov: (\d+)/g)?.at(-1)
  console.log(
    `${name}: ${runs} runs in ${seconds} s, ${coverage}, ${readdirSync(corpus).length} inputs kept, nothing found`,
  )
}

const seconds = Number(process.argv[2] ?? 120)
if (!(Number.isInteger(seconds) && seconds > 0)) {
  console.error('Usage: node scripts/fuzz.mjs [seconds for each target, default 120]')
  process.exit(2)
}
for (const [name, target] of Object.entries(TARGETS)) fuzz(name, target, seconds)
