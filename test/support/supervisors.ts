import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Supervisor, type SupervisorEvents, type SupervisorOptions } from '../../dist/supervisor.js'

export const script = fileURLToPath(new URL('../fixtures/supervised.cjs', import.meta.url))

export type Told = {
  readonly [Name in keyof SupervisorEvents]: readonly [Name, ...SupervisorEvents[Name]]
}[keyof SupervisorEvents]

const EVENTS: readonly (keyof SupervisorEvents)[] = [
  'workers:auto',
  'worker:start',
  'worker:listening',
  'worker:path',
  'worker:ready',
  'worker:drained',
  'worker:exit',
  'worker:recycle',
  'worker:restart',
  'worker:output',
  'worker:message',
  'warning',
  'watch:change',
  'reload:start',
  'reload:soak',
  'reload:done',
  'reload:failed',
  'scaled',
  'stopping',
]

export interface Supervised extends AsyncDisposable {
  readonly supervisor: Supervisor
  /** All events, in their order. */
  readonly told: Told[]
  /** What workers do that start from now on. */
  setting(setting: object): void
}

/** A supervisor of the program of these tests; killed with all its workers when it goes out of scope. */
export function supervise(setting: object, options: Partial<SupervisorOptions> = {}): Supervised {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-supervised-'))
  const file = path.join(folder, 'setting.json')
  writeFileSync(file, JSON.stringify(setting))
  const supervisor = new Supervisor({
    script,
    args: [file, 'more'],
    workers: 2,
    execArgv: [],
    output: 'pipe',
    ...options,
  })
  // Its workers outlive it; those of a test that did not come to its end must not.
  const kill = (): void => supervisor.kill()
  process.once('exit', kill)
  const told: Told[] = []
  for (const name of EVENTS) supervisor.on(name, (...args: unknown[]) => told.push([name, ...args] as unknown as Told))
  return {
    supervisor,
    told,
    setting: (next) => writeFileSync(file, JSON.stringify(next)),
    async [Symbol.asyncDispose]() {
      process.off('exit', kill)
      supervisor.kill()
      await supervisor.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** What one request on a connection of its own gets. */
export function get<T = { me: string }>(port: number, host = '127.0.0.1', url = '/'): Promise<T> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host, path: url, agent: false, timeout: 10_000 }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (data) => {
          text += data
        })
        response.on('end', () => resolve(JSON.parse(text) as T))
      })
      .on('error', reject)
  })
}

/** Who answers so many requests. */
export async function answerers(port: number, requests = 40): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: requests }, () => get(port)))
  return new Set(answers.map(({ me }) => me))
}

export function namesOf(told: readonly Told[]): readonly string[] {
  return told.map(([name]) => name)
}

export async function event<Name extends keyof SupervisorEvents>(
  supervisor: Supervisor,
  name: Name,
): Promise<SupervisorEvents[Name]> {
  return (await once(supervisor, name as string)) as unknown as SupervisorEvents[Name]
}
