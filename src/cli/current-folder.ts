import { statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

/**
 * The current folder as the shell names it, with the links by which it was entered, so that a link that is moved later is
 * followed. `named`: the variable PWD, which may be of another process. POSIX, pwd -L
 */
export function currentFolder(named: string | undefined): string {
  if (named !== undefined && path.isAbsolute(named) && isHere(named)) return named
  return process.cwd()
}

function isHere(folder: string): boolean {
  try {
    const [one, other] = [statSync(folder), statSync('.')]
    return one.dev === other.dev && one.ino === other.ino
  } catch {
    return false
  }
}
