// Formats the C++ with clang-format; `--check` only says whether it is formatted.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const isSource = (name) => /\.(cc|h)$/.test(name)
const files = ['src-native', 'test/native'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true })
    .filter(isSource)
    .map((name) => path.join(folder, name)),
)
const { getNativeBinary } = createRequire(import.meta.url)('clang-format')
const mode = process.argv[2] === '--check' ? ['--dry-run', '--Werror'] : ['-i']
const { status, error } = spawnSync(getNativeBinary(), [...mode, ...files], { cwd: root, stdio: 'inherit' })
if (error) throw error
if (status === 0 && mode.length === 2) console.log(`${files.length} C++ files are formatted.`)
process.exit(status ?? 1)
