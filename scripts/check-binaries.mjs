// Checks the binaries of the package: each must load on glibc and on musl, also on the oldest that it is for, and be
// hardened against attacks. `node scripts/check-binaries.mjs [file …]`. Without a file it checks all of
// prebuilds/linux-*. Needs readelf (binutils).
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const MOST_BYTES = 100_000
const EXPORTED = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']
const MACHINES = { x64: 'X86-64', arm64: 'AArch64' }
/**
 * The functions of C that a binary may need: those that glibc 2.28 and musl both export, with the same structs and
 * the same meaning. Without a version glibc takes the oldest of each, or the only default. Look both up before you add
 * one. scripts/package/libraries.mjs links the binaries with each library.
 */
const OF_C = new Set(
  `__errno_location __stack_chk_fail abort accept4 atoi bcmp bind clock_gettime close closedir connect dirfd
  epoll_create1 epoll_ctl epoll_wait fchown fcntl free geteuid getpid getsockname getsockopt htons if_indextoname
  if_nametoindex inet_ntop inet_pton ioctl kill listen malloc memchr memcmp memcpy memmove memset ntohs open opendir poll
  pthread_create pthread_join read readdir readlinkat recvfrom recvmsg sched_getaffinity sched_setaffinity sendmsg
  sendto setpgid setsockopt shutdown sigaddset sigemptyset sigfillset sigprocmask snprintf socket socketpair stderr
  strcmp strlen strncmp strnlen strtoul strtoull syscall vfprintf wmemchr`.split(/\s+/),
)
/** Where the value of the stack protector is: in the thread's memory on x64, in a variable of both libraries on arm64. */
const OF_PROCESSOR = { x64: [], arm64: ['__stack_chk_guard'] }
const OF_NODE = /^(napi|node_api)_\w+$/

const EXPECTED = ['linux-x64', 'linux-arm64'].map((target) => path.join(root, 'prebuilds', target, 'reuseport.node'))

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

/** The faults of a binary, as sentences about "it". */
export function faultsOf(file) {
  const arch = path.basename(path.dirname(file)).split('-')[1]
  const faults = []
  const expect = (holds, what) => holds || faults.push(what)
  const header = readelf('-h', file)
  expect(header.includes(MACHINES[arch] ?? arch), `it is not for ${arch}`)
  const { size } = statSync(file)
  expect(size < MOST_BYTES, `it has ${size} bytes; the limit is ${MOST_BYTES - 1}`)
  const symbols = dynamicSymbols(file)
  const known = (name) => OF_C.has(name) || OF_NODE.test(name) || OF_PROCESSOR[arch]?.includes(name)
  for (const { name, defined, version } of symbols) {
    if (defined) expect(EXPORTED.includes(name), `it exports ${name}`)
    else expect(known(name), `it needs ${name}`)
    expect(version === undefined, `it needs ${name} of ${version}`)
  }
  for (const name of EXPORTED)
    expect(
      symbols.some((s) => s.defined && s.name === name),
      `it does not export ${name}`,
    )
  const dynamic = readelf('-d', file)
  for (const [, library] of dynamic.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)) {
    expect(false, `it needs the library ${library}, although the process has a C library`)
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
  expect(!/^\s*TLS\s/m.test(segments), 'it has variables of threads, whose access differs between C libraries')
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
