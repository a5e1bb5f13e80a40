import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { lastSteps } from '../common/children.js'

let binary = ''

/** Compiles the C server. Gives the version of the compiler; throws where there is none. */
export function compileCeiling() {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'))
  lastSteps.add(() => rmSync(folder, { recursive: true, force: true }))
  binary = path.join(folder, 'epoll')
  const compiler = process.env['CC'] ?? 'cc'
  const setting = /** @type {const} */ ({ encoding: 'utf8', stdio: 'pipe' })
  execFileSync(compiler, ['-O2', '-Wall', '-o', binary, fileURLToPath(new URL('./epoll.c', import.meta.url))], setting)
  return execFileSync(compiler, ['--version'], setting).split('\n')[0]
}

/** Where it is, once it is compiled. */
export function ceiling() {
  return binary
}
