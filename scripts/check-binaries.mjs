// Checks the binaries of the package: each must load on the oldest system that it is for, and be hardened against
// attacks. `node scripts/check-binaries.mjs [file …]`. Without a file it checks all of prebuilds/linux-*. Needs readelf
// (binutils).
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const MOST_BYTES = 100_000
const OLDEST_GLIBC = [2, 28]
const EXPORTED = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']
/** Before 2.34 glibc has the threads in a library of their own, which Node needs too. */
const NEEDED = {
  glibc: /^(libc\.so\.6|libm\.so\.6|libpthread\.so\.0|ld-linux-[a-z0-9-]+\.so\.\d)$/,
  musl: /^libc\.so$/,
}
const MACHINES = { x64: 'X86-64', arm64: 'AArch64' }
/** The symbols that a binary may need: those of Node-API and of C, but none of a C++ library or of libuv. */
const UNDEFINED = /^(napi_\w+|node_api_\w+|[a-z_]\w*)$/
const FOREIGN = /^(_Z|__cxa|__gxx|_Unwind|uv_)/

const EXPECTED = ['linux-x64', 'linux-arm64'].flatMap((target) =>
  ['glibc', 'musl'].map((libc) => path.join(root, 'prebuilds', target, `reuseport.${libc}.node`)),
)

function readelf(...args) {
  return execFileSync('readelf', ['-W', ...args], { encoding: 'utf8' })
}

/** @returns {{ name: string, defined: boolean, version: string | undefined }[]} */
function dynamicSymbols(file) {
  return readelf('--dyn-syms', file)
    .split('\n')
    .map((line) => /^\s*\d+:\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+(\S+)\s+([^@\s]+)(?:@+(\S+))?/.exec(line))
    .filter((found) => found !== null)
    .map(([, section, name, version]) => ({ name, defined: section !== 'UND', version }))
}

function isNewer(version) {
  const [, major, minor] = /^GLIBC_(\d+)\.(\d+)/.exec(version) ?? [undefined, 99, 0]
  return Number(major) > OLDEST_GLIBC[0] || (Number(major) === OLDEST_GLIBC[0] && Number(minor) > OLDEST_GLIBC[1])
}

/** The faults of a binary, as sentences about "it". */
export function faultsOf(file) {
  const libc = file.includes('.musl.') ? 'musl' : 'glibc'
  const arch = path.basename(path.dirname(file)).split('-')[1]
  const faults = []
  const expect = (holds, what) => holds || faults.push(what)
  const header = readelf('-h', file)
  expect(header.includes(MACHINES[arch] ?? arch), `it is not for ${arch}`)
  const { size } = statSync(file)
  expect(size < MOST_BYTES, `it has ${size} bytes; the limit is ${MOST_BYTES - 1}`)
  const symbols = dynamicSymbols(file)
  for (const { name, defined, version } of symbols) {
    if (defined) expect(EXPORTED.includes(name), `it exports ${name}`)
    else expect(UNDEFINED.test(name) && !FOREIGN.test(name), `it needs ${name}`)
    if (version === undefined) continue
    expect(
      libc === 'glibc' && !isNewer(version),
      `it needs ${name} of ${version}, which glibc ${OLDEST_GLIBC.join('.')} lacks`,
    )
  }
  for (const name of EXPORTED)
    expect(
      symbols.some((s) => s.defined && s.name === name),
      `it does not export ${name}`,
    )
  const dynamic = readelf('-d', file)
  for (const [, library] of dynamic.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)) {
    expect(NEEDED[libc].test(library), `it needs the library ${library}`)
  }
  expect(
    /\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW/.test(dynamic),
    'it binds its symbols late (no BIND_NOW), so its GOT stays writable',
  )
  expect(
    !/\((RPATH|RUNPATH|TEXTREL)\)/.test(dynamic),
    'it has a library path (RPATH, RUNPATH), or writes to its code (TEXTREL)',
  )
  const segments = readelf('-l', file)
  expect(segments.includes('GNU_RELRO'), 'it has no RELRO')
  expect(/GNU_STACK\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RW\s/.test(segments), 'its stack is executable')
  expect(
    !/LOAD\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RWE/.test(segments),
    'it has a segment that is both writable and executable',
  )
  expect(
    symbols.some(({ name }) => name === '__stack_chk_fail'),
    'it was compiled without a stack protector',
  )
  const sections = readelf('-S', file)
  expect(!/\.symtab|\.debug_/.test(sections), 'it is not stripped')
  return faults
}

function packed() {
  for (const file of EXPECTED)
    if (!existsSync(file)) throw new Error(`${path.relative(root, file)} is missing: run npm run prebuild`)
  return readdirSync(path.join(root, 'prebuilds'), { recursive: true })
    .filter((name) => /^linux-.*\.node$/.test(name))
    .map((name) => path.join(root, 'prebuilds', name))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = process.argv.length > 2 ? process.argv.slice(2) : packed()
  let failed = false
  for (const file of files) {
    const faults = faultsOf(file)
    failed ||= faults.length > 0
    console.log(
      `${faults.length === 0 ? '✓' : '✗'} ${path.relative(process.cwd(), file)}, ${statSync(file).size} bytes`,
    )
    for (const fault of faults) console.log(`    ${fault}`)
  }
  process.exit(failed ? 1 : 0)
}
