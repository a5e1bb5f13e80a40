import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Ran extends AsyncDisposable {
  readonly child: ChildProcess
  /** Resolves when it has said so on stderr. */
  said(what: RegExp): Promise<void>
  readonly stdout: () => string
  readonly stderr: () => string
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** As this user. */
  readonly uid?: number
  /** In place of node and the command: something that ends in them. */
  readonly before?: readonly string[]
  /** Options of Node for the command itself. */
  readonly node?: readonly string[]
  /** The command of another copy of the package. */
  readonly main?: string
}

/** The command; it, and by it all workers, is ended when it goes out of scope. */
export function reuseport(args: readonly string[], options: RunOptions = {}): Ran {
  const [file = '', ...rest] = [
    ...(options.before ?? []),
    process.execPath,
    ...(options.node ?? []),
    options.main ?? main,
    ...args,
  ]
  const child = spawn(file, rest, {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text
    })
  }
  // Workers hold its output open where they outlive it.
  const exited = once(child, 'exit').then(async ([code, signal]) => {
    await new Promise((resolve) => setImmediate(resolve))
    return { code, signal, ...output }
  })
  return {
    child,
    exited,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    said: (what) => expect.poll(() => output.stderr, { timeout: 20_000 }).toMatch(what),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        // The third ends at once. Three of one name might arrive as one. signal(7)
        for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) child.kill(signal)
        await exited
      }
    },
  }
}
