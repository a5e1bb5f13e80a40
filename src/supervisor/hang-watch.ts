import { Hangs } from './hangs.js'
import type { RestartOwner } from './restart.js'
import type { RunningWorker } from './running-worker.js'

/** Pings the workers, and ends those that hang: each is an unexpected death, and its slot gets another worker. */
export class HangWatch {
  readonly #hangs: Hangs | undefined

  /** @param alive The workers at the moment. */
  constructor({ emit, settings, signal }: RestartOwner, alive: () => readonly RunningWorker[]) {
    const { hangTimeout } = settings
    if (hangTimeout === undefined) return
    const hangs = new Hangs(hangTimeout)
    this.#hangs = hangs
    const timer = setInterval(() => {
      for (const worker of tick(hangs, alive())) {
        const seconds = hangTimeout / 1000
        emit('warning', `worker ${worker.slot} (${worker.pid}) did not answer for ${seconds} s and was ended`)
        worker.abort()
      }
    }, hangs.interval).unref()
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }

  heard({ name }: RunningWorker): void {
    this.#hangs?.ponged(name)
  }
}

/** Pings the workers. @returns those that hang. */
function tick(hangs: Hangs, alive: readonly RunningWorker[]): readonly RunningWorker[] {
  // One that starts has `readyTimeout`, one that leaves `drainTimeout`.
  const watched = new Map(
    alive.filter(({ isConnected, state }) => isConnected && state === 'ready').map((worker) => [worker.name, worker]),
  )
  const { hung, ping } = hangs.tick([...watched.keys()], performance.now())
  for (const name of ping) watched.get(name)?.send({ type: 'ping', ping: 0 })
  return hung.flatMap((name) => watched.get(name) ?? [])
}
