import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { explainMissingAddon } from '../../src/native/addon-failure.js'
import { isCutShort } from '../../src/native/addon-file.js'

const target = { platform: 'linux', arch: 'x64' }

function failure(code: string | undefined, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code }, more)
}

test.each([
  [failure('ERR_DLOPEN_DISABLED', 'x'), /^native addons are disabled in this process; .*--no-addons.*--allow-addons/],
  [
    failure('ERR_ACCESS_DENIED', 'x', { resource: '/a.node' }),
    /^the permission model forbids reading \/a\.node; add --allow-fs-read/,
  ],
  [failure('ERR_ACCESS_DENIED', 'x'), /^the permission model forbids reading the addon's files; add --allow-fs-read/],
  [failure('ERR_ACCESS_DENIED', 'x', { resource: '' }), /forbids reading the addon's files;/],
  [failure('MODULE_NOT_FOUND', 'x'), /mark 'reuseport' as external$/],
  [failure('ERR_INVALID_ARG_VALUE', 'x'), /mark 'reuseport' as external$/],
  [
    failure(undefined, 'No native build was found for x\n    loaded from: /x\n'),
    /^there is no binary for linux-x64; run 'npx/,
  ],
  // glibc
  [
    failure('ERR_DLOPEN_FAILED', "/l/libc.so.6: version `GLIBC_2.99' not found"),
    /^the addon's binary needs a newer system library/,
  ],
  [
    failure('ERR_DLOPEN_FAILED', 'libc.so: cannot open shared object file: No such file'),
    /^the addon's binary is for another/,
  ],
  [failure('ERR_DLOPEN_FAILED', '/a.node: wrong ELF class: ELFCLASS32'), /^the addon's binary is for another system/],
  [failure('ERR_DLOPEN_FAILED', '/a.node: invalid ELF header'), /^the addon's binary is damaged; reinstall/],
  [failure('ERR_DLOPEN_FAILED', '/a.node: file too short'), /^the addon's binary is damaged; reinstall/],
  // musl
  [
    failure('ERR_DLOPEN_FAILED', 'Error relocating /a.node: __vsnprintf_chk: symbol not found'),
    /^the addon's binary is for another/,
  ],
  // macOS
  [
    failure('ERR_DLOPEN_FAILED', "dlopen(/a.node): (mach-o file, but is an incompatible architecture (have 'x86_64'))"),
    /^the addon's binary is for another/,
  ],
  [
    failure('ERR_DLOPEN_FAILED', 'dlopen(/a.node): slice is not valid mach-o file: not a mach-o file'),
    /^the addon's binary is damaged/,
  ],
  // Node
  [failure('ERR_DLOPEN_FAILED', "Module did not self-register: '/a.node'."), /^the addon's binary is damaged/],
  [
    failure('ERR_DLOPEN_FAILED', 'something new'),
    /^the addon's binary does not load; run 'npx reuseport build'.* \(something new\)$/,
  ],
  [failure('EPERM', 'first\nsecond'), /^the addon does not load \(first\)$/],
  ['a text', /^the addon does not load \(a text\)$/],
])('%s', (cause, told) => {
  expect(explainMissingAddon(cause, target)).toMatch(told)
})

describe('a file that is cut short', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-file-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  function elf(size: number, { sections = 100, count = 2, magic = '7f454c460201' } = {}): string {
    const bytes = Buffer.alloc(Math.max(size, 0))
    const header = Buffer.alloc(64)
    header.write(magic, 'hex')
    header.writeBigUInt64LE(BigInt(sections), 40)
    header.writeUInt16LE(64, 58)
    header.writeUInt16LE(count, 60)
    header.copy(bytes)
    const file = path.join(folder, `${size}-${sections}-${count}-${magic}`)
    writeFileSync(file, bytes)
    return file
  }

  test.each([
    ['by one byte', 227, {}, true],
    ['not at all', 228, {}, false],
    ['in its header, which the linker tells', 63, {}, false],
    ['empty, which the linker tells', 0, {}, false],
    ['a table that is far away', 300, { sections: 2 ** 40 }, true],
    ['another format', 100, { magic: 'cffaedfe' }, false],
    ['of 32 bits', 100, { magic: '7f454c460101' }, false],
  ] as const)('%s', (_what, size, options, isShort) => {
    expect(isCutShort(elf(size, options))).toBe(isShort)
  })
})
