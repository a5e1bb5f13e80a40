import process from 'node:process'
import type { Supervisor, WorkerInfo } from '../supervisor.js'
import { type Colour, paint, type Screen } from './terminal.js'

const COLOURS: readonly Colour[] = ['cyan', 'green', 'yellow', 'red']

/** Prints the output of workers with the worker's name before each line. Whole lines only, so that lines never mix. */
export class Prefixer {
  readonly #rest = new Map<string, string>()
  readonly #screen: Screen

  constructor(supervisor: Supervisor, screen: Screen) {
    this.#screen = screen
    supervisor.on('worker:output', (worker, stream, text) => this.#print(worker, stream, text))
    supervisor.on('worker:exit', (worker) => {
      for (const stream of ['stdout', 'stderr'] as const) this.#flush(worker, stream)
    })
  }

  #print(worker: WorkerInfo, stream: 'stdout' | 'stderr', text: string): void {
    const key = keyOf(worker, stream)
    const lines = ((this.#rest.get(key) ?? '') + text).split('\n')
    this.#rest.set(key, lines.pop() ?? '')
    for (const line of lines) this.#write(worker, stream, line)
  }

  #flush(worker: WorkerInfo, stream: 'stdout' | 'stderr'): void {
    const key = keyOf(worker, stream)
    const rest = this.#rest.get(key)
    this.#rest.delete(key)
    if (rest) this.#write(worker, stream, rest)
  }

  #write(worker: WorkerInfo, stream: 'stdout' | 'stderr', line: string): void {
    const { slot, pid, threadId } = worker
    const colour = COLOURS[slot % COLOURS.length] ?? 'cyan'
    const name = paint(this.#screen, colour, `${slot} ${threadId === undefined ? pid : `thread ${threadId}`} |`)
    process[stream].write(`${name} ${line}\n`)
  }
}

function keyOf({ slot, pid, threadId }: WorkerInfo, stream: string): string {
  return `${slot} ${pid} ${threadId} ${stream}`
}
