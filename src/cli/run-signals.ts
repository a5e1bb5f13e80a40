// What signals have `reuseport run` do.
import { closeSync, fstatSync, openSync } from 'node:fs'
import process from 'node:process'
import { SignalCount } from '../common/ending-signals.js'
import type { Supervisor } from '../supervisor.js'

export interface Signals {
  /** How many signals have asked the supervisor to end. */
  readonly count: number
  /** 128 plus the number of the signal that ended everything at once; 0 without one. */
  exitCode(): number
  end(): void
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const

export function handleSignals(supervisor: Supervisor): Signals {
  const heard = new SignalCount(() => performance.now())
  let exitCode = 0
  // Rejections are ignored: the events of the supervisor report them.
  const ignore = (): void => {}
  const hadTerminal = hasTerminal()
  const end = (name: keyof typeof NUMBERS): void => {
    const wish = heard.hear()
    // Programs take SIGHUP for something else than the end.
    if (wish === 'first') supervisor.stop(name === 'SIGHUP' ? 'SIGTERM' : name).catch(ignore)
    if (wish !== 'at once') return
    exitCode = 128 + NUMBERS[name]
    const { length } = supervisor.workers
    const workers = `${length} worker${length === 1 ? '' : 's'}`
    supervisor.emit('warning', `${name} once more: ends ${workers} at once, and what they have not answered is lost`)
    supervisor.kill()
  }
  const reload = (): void => void supervisor.reload().catch(ignore)
  const handlers = {
    SIGINT: () => end('SIGINT'),
    SIGTERM: () => end('SIGTERM'),
    SIGQUIT: () => end('SIGQUIT'),
    // The kernel sends SIGHUP when the terminal closes, a user sends it for a reload.
    SIGHUP: () => {
      if (!hadTerminal || hasTerminal()) {
        reload()
        return
      }
      leaveTerminal()
      end('SIGHUP')
    },
    SIGUSR2: reload,
    SIGTTIN: () => scale(supervisor, 1),
    SIGTTOU: () => scale(supervisor, -1),
  } as const
  for (const [name, handler] of Object.entries(handlers)) process.on(name as NodeJS.Signals, handler)
  return {
    get count() {
      return heard.count
    },
    exitCode: () => exitCode,
    end() {
      for (const [name, handler] of Object.entries(handlers)) process.off(name as NodeJS.Signals, handler)
    },
  }
}

/** Whether this process has a controlling terminal: /dev/tty opens only then. tty(4) */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}

/** Puts /dev/null in place of the closed terminal: Node resets it at exit, and aborts (SIGABRT) where that fails. */
function leaveTerminal(): void {
  for (const fd of [0, 1, 2]) {
    if (!isDevice(fd)) continue
    closeSync(fd)
    // open(2) takes the lowest free number, which is this one.
    openSync('/dev/null', 'r+')
  }
}

/** Whether a descriptor is a terminal or another character device. isatty(3) fails for a terminal that has closed. */
function isDevice(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice()
  } catch {
    return false
  }
}

function scale(supervisor: Supervisor, more: 1 | -1): void {
  const scaled = supervisor.scale((now) => {
    if (now + more < 1) throw new Error('SIGTTOU is ignored: the last worker stays')
    return now + more
  })
  scaled.catch((error: unknown) => supervisor.emit('warning', (error as Error).message))
}
