// Packs the package, and installs and runs it as a user does: `npm run test:package [-- folder]`. With a folder it
// copies the tarball there. Linux x64.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkBundlers } from './package/bundlers.mjs'
import { checkCommands } from './package/commands.mjs'
import { checkCommonJS } from './package/commonjs.mjs'
import { pack } from './package/contents.mjs'
import { checkLibraries } from './package/libraries.mjs'
import { checkManagers } from './package/managers.mjs'
import { run } from './package/run.mjs'
import { checkRuntimes } from './package/runtimes.mjs'
import { checkSourceBuild } from './package/source-build.mjs'

const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-package-'))
try {
  console.log(run(process.execPath, ['scripts/prebuild.mjs']).stdout.trim())
  console.log(run(process.execPath, ['scripts/check-binaries.mjs']).stdout.trim())
  const tarball = pack(folder)
  console.log(run('npx', ['publint', '--strict', tarball]).stdout.trim())
  console.log(run('npx', ['attw', tarball, '--exclude-entrypoints', './register']).stdout.trim())
  const project = checkManagers(folder, tarball)
  checkCommands(project)
  checkRuntimes(project)
  checkCommonJS(project)
  checkLibraries(folder, project)
  checkBundlers(project, folder)
  checkSourceBuild(project)
  const kept = process.argv[2]
  if (kept !== undefined) copyFileSync(tarball, path.join(kept, path.basename(tarball)))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
