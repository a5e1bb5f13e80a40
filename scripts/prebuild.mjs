// Makes prebuilds/<system>-<architecture>/: `node scripts/prebuild.mjs [target …]`. Without a target it makes all of
// TARGETS. Cross-compiles with clang (scripts/zig.mjs), and links no C++ library. A binary for Linux serves glibc and
// musl: it names no C library, so its functions are those of the library that the process has. It is compiled with the
// headers of musl, which ask for fewer functions than those of glibc; scripts/check-binaries.mjs lists them. The structs
// are the same in both libraries, but that msghdr and cmsghdr have padding where glibc has the upper half of a length:
// the code fills these with zeros.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import prebuildify from 'prebuildify'
import { nodeWithHeaders } from './build.mjs'
import { sourcesIn } from './native-sources.mjs'
import { nodeBinary } from './nodes.mjs'
import { ZIG_ENVIRONMENT, zigBinary } from './zig.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The package leaves out the binaries for macOS: they compile, but nobody has run them. */
const TARGETS = {
  'linux-x64': { triple: 'x86_64-linux-musl', flags: ['-fcf-protection=full'] },
  'linux-arm64': { triple: 'aarch64-linux-musl', flags: ['-mbranch-protection=standard'] },
  'darwin-x64': { triple: 'x86_64-macos.11.0', flags: [] },
  'darwin-arm64': { triple: 'aarch64-macos.11.0', flags: [] },
}

// zig's driver turns -Oz into -Os, whose code is a third larger. -Xclang passes -Oz to the compiler itself.
const SMALL = ['-Xclang', '-Oz', '-fomit-frame-pointer', '-D_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_FAST']

/** The headers of Node-API. They are the same on every system. */
function headers() {
  const node = nodeWithHeaders() ?? path.dirname(path.dirname(nodeBinary(22)))
  return { node, include: path.join(node, 'include/node') }
}

async function buildForLinux(name, { triple, flags }) {
  const [platform, arch] = name.split('-')
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-prebuild-'))
  const zig = zigBinary()
  // node-gyp-build would prefer a file of earlier versions, whose name has the C library.
  rmSync(path.join(root, 'prebuilds', name), { recursive: true, force: true })
  try {
    for (const part of ['binding.gyp', 'package.json', 'src-native']) {
      cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
    // All symbols are bound at load (-z now), so calls need no table of stubs. Every libc has known DT_GNU_HASH for long.
    const common = [...SMALL, ...flags, '-flto', '-fno-plt'].join(' ')
    // No C library is linked either (-nostdlib). LINK is the C compiler, because the C++ compiler would link a C++ library.
    Object.assign(process.env, ZIG_ENVIRONMENT, {
      npm_package_config_node_gyp_nodedir: headers().node,
      GYP_DEFINES: 'packed=1',
      CC: `${zig} cc -target ${triple}`,
      CXX: `${zig} c++ -target ${triple}`,
      LINK: `${zig} cc -target ${triple}`,
      AR: `${zig} ar`,
      CXXFLAGS: common,
      LDFLAGS: `${common} -nostdlib -s -Wl,--build-id=none -Wl,--hash-style=gnu -Wl,--version-script=${folder}/src-native/packed/exports.map`,
      JOBS: 'max',
    })
    await promisify(prebuildify)({
      name: 'reuseport',
      napi: true,
      quiet: process.env.REUSEPORT_VERBOSE === undefined,
      targets: [{ runtime: 'node', target: process.versions.node }],
      platform,
      arch,
      cwd: folder,
      out: root,
      cache: path.join(folder, 'cache'),
      nodeGyp: path.join(root, 'node_modules/.bin/node-gyp'),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Without gyp, which builds for macOS only on macOS. Larger, because there is no optimization at link time here. */
function buildForMac(name, { triple }) {
  const out = path.join(root, 'prebuilds', name)
  mkdirSync(out, { recursive: true })
  const sources = sourcesIn('addon', 'convert', 'core', 'platform/darwin', 'platform/unsupported', 'packed')
  const defines = ['NAPI_VERSION=8', 'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS', 'NAPI_DISABLE_CPP_EXCEPTIONS']
  const options = ['-target', triple, ...SMALL, ...defines.map((define) => `-D${define}`)]
  const objects = mkdtempSync(path.join(tmpdir(), 'reuseport-prebuild-'))
  const zig = (...args) =>
    execFileSync(zigBinary(), args, { cwd: root, env: { ...process.env, ...ZIG_ENVIRONMENT }, stdio: 'inherit' })
  try {
    const files = sources.map((source) => {
      const object = path.join(objects, `${source.replaceAll('/', '_')}.o`)
      const includes = ['-Isrc-native', `-I${headers().include}`, '-Inode_modules/node-addon-api']
      const language = ['-std=c++17', '-Os', '-fno-rtti', '-fno-exceptions', '-fvisibility=hidden', '-w']
      zig('c++', ...options, ...language, ...includes, '-DNODE_GYP_MODULE_NAME=reuseport', '-c', source, '-o', object)
      return object
    })
    const output = path.join(out, 'reuseport.node')
    zig(
      'cc',
      '-target',
      triple,
      '-shared',
      ...files,
      '-Wl,-undefined,dynamic_lookup',
      '-Wl,-dead_strip',
      '-s',
      '-o',
      output,
    )
  } finally {
    rmSync(objects, { recursive: true, force: true })
  }
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in TARGETS))
if (unknown.length > 0) {
  console.error(`Unknown target: ${unknown.join(' ')}. The targets are ${Object.keys(TARGETS).join(' ')}`)
  process.exit(2)
}
for (const name of asked.length > 0 ? asked : Object.keys(TARGETS)) {
  const start = Date.now()
  await (name.startsWith('darwin') ? buildForMac : buildForLinux)(name, TARGETS[name])
  console.log(`${name} is built, in ${Math.round((Date.now() - start) / 1000)} s.`)
}
