// The file of `--pid-file`: it names the supervisor while that serves.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import type { Supervisor } from '../supervisor.js'

/**
 * Writes the file when all workers are ready, whole or not at all, so that one which is there names a supervisor that
 * serves, also where a start fails beside an earlier one. Removes it at the end, unless another supervisor has replaced it.
 */
export function writePidFile(supervisor: Supervisor, file: string): void {
  const own = `${process.pid}\n`
  supervisor.once('running', () => {
    const part = `${file}.${process.pid}`
    try {
      // Fails where something has the name: nobody's file is overwritten, and no link followed.
      writeFileSync(part, own, { flag: 'wx', mode: 0o644 })
      renameSync(part, file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(part, { force: true })
      supervisor.emit('warning', `the file of --pid-file cannot be written: ${(error as Error).message}`)
    }
  })
  const remove = (): void => {
    try {
      if (readFileSync(file, 'utf8') === own) rmSync(file)
    } catch {
      // It is gone.
    }
  }
  supervisor.closed.then(remove, remove)
}
