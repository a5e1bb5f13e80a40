import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { lastSteps } from './children.js'

/**
 * Compiles a C program into a folder that goes when the benchmark ends. Throws where there is no compiler.
 *
 * @param {URL} source
 * @returns {{ program: string, compiler: string }} `compiler`: its name and version.
 */
export function compile(source) {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-'))
  lastSteps.add(() => rmSync(folder, { recursive: true, force: true }))
  const program = path.join(folder, 'program')
  const compiler = process.env['CC'] ?? 'cc'
  const setting = /** @type {const} */ ({ encoding: 'utf8', stdio: 'pipe' })
  execFileSync(compiler, ['-O2', '-Wall', '-o', program, fileURLToPath(source)], setting)
  return { program, compiler: execFileSync(compiler, ['--version'], setting).split('\n')[0] ?? compiler }
}
