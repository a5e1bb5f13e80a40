// The preload that workers get. Its file may be gone: a deployment deletes the release that the supervisor was started from.
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { scriptPath } from './script-option.js'

/** The preload of this copy of the package. */
const REGISTER = new URL('./register.js', import.meta.url)
const FOLDER = path.dirname(path.dirname(fileURLToPath(REGISTER)))

/** Of this copy, read before it can be gone. */
const version = versionIn(FOLDER)

/**
 * The preload of this copy, or, where that is gone, of a copy of the same version that the script would import. Both ends of
 * a channel have to be of one version.
 *
 * @throws Error where there is neither.
 */
export function preloadFor(program: { readonly cwd: string; readonly script: string }): URL {
  if (existsSync(REGISTER)) return REGISTER
  const other = otherCopy(path.dirname(scriptPath(program)))
  if (other !== undefined) return other
  throw new Error(
    `the package that this supervisor was started from is gone (${FOLDER}), and the script has no copy of version ` +
      `${version}: start the command anew, with --replace`,
  )
}

function otherCopy(folder: string): URL | undefined {
  try {
    // As Node finds modules: from where links lead to.
    const manifest = createRequire(path.join(realpathSync(folder), 'x')).resolve('reuseport/package.json')
    const copy = path.dirname(manifest)
    const register = path.join(copy, 'dist/register.js')
    return versionIn(copy) === version && existsSync(register) ? pathToFileURL(register) : undefined
  } catch {
    return undefined
  }
}

function versionIn(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version?: unknown }).version
  } catch {
    return undefined
  }
}
