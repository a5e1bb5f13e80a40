import { type ChildProcess, type ForkOptions, fork, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface Program extends AsyncDisposable {
  readonly child: ChildProcess
  /** The next message it sends. Fails when it ends before. */
  message<T>(): Promise<T>
  send(message: object): void
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
}

/** Starts a program of test/fixtures; it is killed when it goes out of scope. */
export function start(fixture: string, args: readonly string[] = [], options: ForkOptions = {}): Program {
  const path = fileURLToPath(new URL(`../fixtures/${fixture}`, import.meta.url))
  const child = fork(path, args, { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'], ...options })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  const gone = new AbortController()
  const exited = once(child, 'close').then(([code, signal]) => {
    gone.abort()
    return { code, signal, ...output }
  })
  const messages = on(child, 'message', { signal: gone.signal })
  return {
    child,
    exited,
    async message<T>() {
      try {
        const { value } = await messages.next()
        return value[0] as T
      } catch {
        const { code, signal } = await exited
        throw new Error(`${fixture} ended (${code ?? signal}) without a message:\n${output.stdout}${output.stderr}`)
      }
    },
    send: (message) => void child.send(message),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

export interface Other extends AsyncDisposable {
  readonly pid: number
  /** What it printed first. */
  readonly said: string
}

/** Starts a program that is not ours and waits until it prints something; it is killed when it goes out of scope. */
export async function program(command: string, args: readonly string[]): Promise<Other> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const [said] = await once(child.stdout, 'data')
  return {
    said: String(said),
    pid: child.pid as number,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
