// The option `script`: what it may be, and how `node` gets it.
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { SupervisorOptionError } from './option-values.js'

/** A path, also of a `file:` URL as an object or as text: `import.meta.resolve` gives text. */
export function toScript(script: unknown): string {
  const isURL = script instanceof URL || (typeof script === 'string' && script.startsWith('file:'))
  try {
    if (isURL) return fileURLToPath(script)
  } catch {}
  if (typeof script === 'string' && script !== '' && !isURL) return script
  throw new SupervisorOptionError('script', script, 'a file path or a file: URL')
}

/** What `node` takes for a script, and neither for an option nor for its debugger (`node inspect`). */
export function toArgument(script: string): string {
  return /^(?:-|(?:inspect|debug)$)/.test(script) ? `./${script}` : script
}

/** @internal */
export function scriptPath({ cwd, script }: { readonly cwd: string; readonly script: string }): string {
  return path.resolve(cwd, script)
}

/** The file that `node` runs for this path: the extension may be missing, and a folder stands for its package. */
export function toFile(script: string): string {
  try {
    return createRequire(import.meta.url).resolve(script)
  } catch {
    return script
  }
}
