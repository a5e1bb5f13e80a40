// Starts a program of examples/, asks it without pause while it is reloaded and stopped, and expects that no request fails.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const examples = fileURLToPath(new URL('../../examples', import.meta.url))
const CLIENTS = 8
/** ms between the requests of a client: on few CPUs the new workers would start late beside it. */
const PAUSE = 5
/** Answers before a reload, and after it. */
export const ANSWERS = 150
/** ms for an answer. */
const LATE = 30_000
const PATIENCE = { timeout: 60_000 }

/** Asks once, and gives the worker that has answered. A client may keep its connection from call to call. */
export type Ask = () => Promise<unknown>

export interface Client {
  readonly ask: Ask
  /** Gives back what the client keeps. */
  end?(): unknown
}

export interface Example {
  /** What Node runs, and its arguments. */
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** In place of node: something that starts it as its only child, such as `unshare`. */
  readonly parent?: readonly string[]
  /** One after the other in turn, until there are eight. */
  readonly clients: readonly (() => Client)[]
  /** How many answer at a time. Default: the number in the line that it prints when it is ready. */
  readonly workers?: number
  readonly ready: RegExp
  readonly reloaded: RegExp
  /** Called before the reload. */
  readonly beforeReload?: () => unknown
}

/** Under `reuseport run -n 2`. `script` is a path in examples/, or absolute. */
export function supervised(script: string, args: readonly (string | number)[], options: readonly string[] = []) {
  return {
    args: [command, 'run', '-n', '2', ...options, path.resolve(examples, script), ...args.map(String)],
    ready: /(\d+) workers on /,
    reloaded: /generation 2 serves/,
  }
}

export function exampleFile(name: string): string {
  return path.join(examples, name)
}

/** Gives the number of answers. */
export async function runExample(example: Example): Promise<number> {
  const { args, cwd, parent = [] } = example
  // Programs behave in production as their users have them; vitest sets NODE_ENV to "test".
  const env = { ...process.env, NO_COLOR: '1', NODE_ENV: 'production', ...example.env }
  const [file = '', ...rest] = [...parent, process.execPath, ...args]
  const child = spawn(file, rest, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = (signal: NodeJS.Signals) => {
    if (parent.length === 0) return void child.kill(signal)
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    process.kill(Number(children), signal)
  }
  const exited = once(child, 'exit')
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const isSaid = (pattern: RegExp) =>
    Promise.race([
      expect.poll(() => said, PATIENCE).toMatch(pattern),
      exited.then(() => Promise.reject(new Error('it has ended'))),
    ])
  const load = new Load(example.clients)
  try {
    await isSaid(example.ready)
    const workers = example.workers ?? Number(example.ready.exec(said)?.[1])
    load.start()
    await expect.poll(() => load.hasHeard(workers), PATIENCE).toBe(true)
    const before = load.forget()
    await example.beforeReload?.()
    kill('SIGHUP')
    await isSaid(example.reloaded)
    // Connections of old workers may still be ended in order.
    await expect.poll(() => load.forget().intersects(before), { ...PATIENCE, interval: 250 }).toBe(false)
    await expect.poll(() => load.hasHeard(workers), PATIENCE).toBe(true)
    expect(load.forget().intersects(before)).toBe(false)
    // What is under way now is still answered.
    kill('SIGTERM')
    await load.end()
    expect(load.failures).toEqual([])
    expect([await exited, said]).toEqual([[0, null], expect.not.stringMatching(/lost|died|failed|could not|error/i)])
    return load.answers
  } catch (error) {
    throw new Error(`${args.join(' ')}\n${said}\nfailures: ${load.failures.slice(0, 5).join('\n')}`, { cause: error })
  } finally {
    await load.end()
    if (child.exitCode === null && child.signalCode === null) {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) kill(signal)
      await exited
    }
  }
}

class Heard {
  readonly workers: Set<unknown> = new Set()
  answers = 0

  intersects(other: Heard): boolean {
    return this.answers === 0 || [...this.workers].some((worker) => other.workers.has(worker))
  }
}

class Load {
  readonly failures: unknown[] = []
  answers = 0
  #heard = new Heard()
  #ends = false
  #running: Promise<void>[] = []
  readonly #kinds: readonly (() => Client)[]

  constructor(kinds: readonly (() => Client)[]) {
    this.#kinds = kinds
  }

  start(): void {
    this.#running = Array.from({ length: CLIENTS }, (_, index) => {
      const open = this.#kinds[index % this.#kinds.length]
      if (open === undefined) throw new Error('an example has clients')
      return this.#run(open())
    })
  }

  hasHeard(workers: number): boolean {
    return this.#heard.workers.size === workers && this.#heard.answers >= ANSWERS
  }

  /** Who answered since the last call. */
  forget(): Heard {
    const heard = this.#heard
    this.#heard = new Heard()
    return heard
  }

  /** Waits for what is under way; a request without an answer has failed. */
  async end(): Promise<void> {
    this.#ends = true
    const late = new AbortController()
    await Promise.race([
      Promise.all(this.#running),
      sleep(LATE, undefined, { signal: late.signal }).then(
        () => this.failures.push('no answer'),
        () => {},
      ),
    ])
    late.abort()
  }

  async #run({ ask, end }: Client): Promise<void> {
    while (!this.#ends) {
      try {
        this.#heard.workers.add(await ask())
        this.#heard.answers++
        this.answers++
        await sleep(PAUSE)
      } catch (error) {
        this.failures.push(error)
        // A program that has ended answers nobody.
        await sleep(100)
      }
    }
    await end?.()
  }
}
