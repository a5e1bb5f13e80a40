// The load of the echo services.
import { execFile } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { compile } from '../common/compile.js'

/** Sockets of the generator: the kernel chooses a member by the sender's port. */
const SOCKETS = '64'

/** What it is. @type {{ load: string }} */
export const generator = { load: 'generator in JavaScript' }
let program = [process.execPath, fileURLToPath(new URL('./generator.js', import.meta.url))]

/** The one in C takes less of the machine. */
export function prepareGenerator() {
  try {
    program = [compile(new URL('./generator.c', import.meta.url)).program]
    generator.load = 'generator in C'
  } catch {
    // There is no compiler.
  }
}

/** @type {(port: number, rate: number, seconds: number) => Promise<{ sent: number, answered: number, elapsed: number }>} */
export async function send(port, rate, seconds) {
  const [command = '', ...args] = program
  const { stdout } = await promisify(execFile)(command, [...args, String(port), String(rate), String(seconds), SOCKETS])
  return JSON.parse(stdout)
}
