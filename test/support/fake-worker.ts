// Workers that are none: what they say and how they end is told by the test, what they are told is written down.
import type { Kept } from '../../src/supervisor/kept-socket.js'
import type { Launch, WorkerExit, WorkerListeners } from '../../src/supervisor/launch.js'
import type { Listening, ToWorker, WorkerConfiguration } from '../../src/supervisor/protocol.js'

export interface FakeWorker {
  readonly configuration: Omit<WorkerConfiguration, 'sockets'>
  readonly sockets: readonly Kept[]
  readonly tell: WorkerListeners
  /** What it was told, and 'terminate' and 'kill'. */
  readonly heard: (ToWorker | 'terminate' | 'kill')[]
  isConnected: boolean
  /** The answer to `release`, a turn later: of the sockets asked, those that it closes. Undefined: it does not answer. */
  releases: (ids: readonly string[]) => readonly string[] | undefined
  /** Whether it ends when it is told to leave, a turn later. */
  leaves: boolean
  /** A server listens, on a socket that the supervisor cannot keep. */
  listens(port?: number): void
  /** A server listens on a socket of its own, which the supervisor keeps. */
  opens(id: string, port?: number, closed?: string[]): void
  /** A server listens on a socket that the supervisor has. */
  takes(id: string, port?: number): void
  closes(id: string): void
  exits(exit?: Partial<WorkerExit>): void
}

export interface FakeLaunch {
  readonly launch: Launch
  readonly workers: FakeWorker[]
}

export const EXIT: WorkerExit = { code: 0, signal: null, error: undefined }

export function listening(id: string, port = 80, fd?: number): Listening {
  const wish = { address: null, port, ipv6Only: false, options: '' }
  return { type: 'listening', id, wish, address: '::', family: 'IPv6', port, fd }
}

/**
 * @param started Is called with each of them, a turn later.
 * @param isThread Whether they are threads.
 */
export function fakeLaunch(
  started: (worker: FakeWorker, index: number) => void = () => {},
  isThread = false,
): FakeLaunch {
  const workers: FakeWorker[] = []
  const launch: Launch = (_program, configuration, sockets, tell) => {
    const index = workers.length
    let isGone = false
    const fake: FakeWorker = {
      configuration,
      sockets,
      tell,
      heard: [],
      isConnected: true,
      releases: (ids) => ids,
      leaves: true,
      listens: (port) => tell.onMessage(listening(`${configuration.worker}:0`, port), undefined),
      opens: (id, port, closed) => tell.onMessage(listening(id, port), fakeHandle(id, closed)),
      takes: (id, port) => tell.onMessage(listening(id, port), undefined),
      closes: (id) => tell.onMessage({ type: 'closed', id }, undefined),
      exits(exit = {}) {
        if (isGone) return
        isGone = true
        fake.isConnected = false
        tell.onExit({ ...EXIT, ...exit })
      },
    }
    const answer = (asked: readonly string[]): void => {
      const ids = fake.releases(asked)
      if (ids !== undefined) tell.onMessage({ type: 'released', ids }, undefined)
    }
    workers.push(fake)
    setImmediate(() => started(fake, index))
    return {
      pid: 1000 + index,
      threadId: isThread ? index + 1 : undefined,
      isConnected: () => fake.isConnected,
      send(message) {
        fake.heard.push(message)
        if (message.type === 'leave' && fake.leaves) setImmediate(() => fake.exits())
        if (message.type === 'release') setImmediate(() => answer(message.ids))
      },
      terminate(signal) {
        fake.heard.push('terminate')
        setImmediate(() => fake.exits({ code: null, signal }))
      },
      abort() {
        fake.exits({ code: null, signal: 'SIGABRT' })
      },
      kill() {
        fake.heard.push('kill')
        setImmediate(() => fake.exits({ code: null, signal: 'SIGKILL' }))
      },
    }
  }
  return { launch, workers }
}

/** The handle of a socket, which is none. */
function fakeHandle(id: string, closed: string[] = []): { readonly fd: number; close(): void } {
  return { fd: 7, close: () => closed.push(id) }
}

/** A socket that is none. */
export function fakeKept(id: string, closed: string[] = [], isGiven = false): Kept {
  const { wish, address, family, port } = listening(id)
  return { id, wish, address, family, port, fd: 99, inode: 1, handle: undefined, isGiven, close: () => closed.push(id) }
}
