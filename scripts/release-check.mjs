// Runs every check that a version needs before it is published: `npm run release:check`. Exits with 1 after the first
// step that fails. Writes the tarball that it checked: publish that one.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HELP = `Usage: npm run release:check -- [options]

  --tag <name>   the tag to release: v and the version of package.json
  --out <dir>    where to write the tarball                  (default: release)
  --quick        check only the versions, the work tree and the package
  -h, --help     print this help`

const root = fileURLToPath(new URL('..', import.meta.url))

function readOptions() {
  try {
    const options = {
      tag: { type: 'string' },
      out: { type: 'string', default: 'release' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    }
    return parseArgs({ options }).values
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`)
    return process.exit(2)
  }
}

const failures = []

function check(what, holds) {
  console.log(`${holds ? '✓' : '✗'} ${what}`)
  if (!holds) failures.push(what)
}

function output(command, ...args) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8' }).stdout.trim()
}

function run(...script) {
  console.log(`\n=== npm ${script.join(' ')}`)
  const { status } = spawnSync('npm', script, { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`✗ npm ${script.join(' ')}`)
    process.exit(1)
  }
}

/** Checks the versions, the changelog and the state of the work tree. */
function checkVersions(tag) {
  const read = (name) => readFileSync(path.join(root, name), 'utf8')
  const { name, repository, version } = JSON.parse(read('package.json'))
  const lock = JSON.parse(read('package-lock.json'))
  const changelog = read('CHANGELOG.md')
  check(`'${version}' is a valid version`, /^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/.test(version))
  check('package-lock.json has the same version', lock.version === version && lock.packages[''].version === version)
  const heading = /^## (\S+) \((.+)\)$/m.exec(changelog)
  check(`CHANGELOG.md begins with ${version}`, heading?.[1] === version)
  if (tag !== undefined) {
    check(`the tag is v${version}`, tag === `v${version}`)
    check('package.json names the repository, which provenance needs', repository?.url !== undefined)
    check(`CHANGELOG.md has the date of ${version}`, /^\d{4}-\d{2}-\d{2}$/.test(heading?.[2] ?? ''))
  }
  check('the work tree has no uncommitted changes', output('git', 'status', '--porcelain') === '')
  const published = output('npm', 'view', `${name}@${version}`, 'version')
  check(`${name}@${version} is not published yet`, published === '')
}

const { help, out, quick, tag } = readOptions()
if (help) {
  console.log(HELP)
  process.exit(0)
}
checkVersions(tag)
if (failures.length > 0) process.exit(1)
if (!quick) {
  run('test')
  for (const script of ['lint', 'types', 'coverage', 'sanitize', 'mutate', 'demo', 'test:matrix']) run('run', script)
  run('run', 'fuzz', '--', '60')
  for (const what of ['drain', 'restart', 'kill', 'joins', 'supervisor', 'environments']) run('run', `soak:${what}`)
}
const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-release-'))
try {
  run('run', 'test:package', '--', folder)
  mkdirSync(path.resolve(root, out), { recursive: true })
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.tgz'))) {
    copyFileSync(path.join(folder, name), path.resolve(root, out, name))
    console.log(`\nChecked, and ready to publish: ${path.join(out, name)}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
