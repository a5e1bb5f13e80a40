// Tests that run a program of this checkout as another user.
import { statSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** Why that cannot be here; undefined where it can. */
export const noOtherUser: string | undefined = reason()

function reason(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can become another user; this is one'
  let folder = fileURLToPath(new URL('../..', import.meta.url))
  while ((statSync(folder).mode & 0o001) !== 0) {
    const above = path.dirname(folder)
    if (above === folder) return undefined
    folder = above
  }
  return `another user cannot enter ${folder}`
}
