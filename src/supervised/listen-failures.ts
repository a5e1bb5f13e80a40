// Tells the supervisor why a server cannot listen, and ends a process that this ends anyway without its stack: each worker
// would print the same one, and the supervisor says what it says in one line.
import process from 'node:process'
import type { ListenFailure } from '../common/listen-failure.js'
import { type FailedTarget, hearFailures } from '../node/failed-listen.js'
import type { Link } from './link.js'

/** ms for the message to leave. A message waits while a handle that was sent before is not acknowledged. */
const SENT = 500

/** What Node does with an error that nobody handles. */
const UNCAUGHT = 1

const HINTS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'no network interface of this system has that address',
  EAFNOSUPPORT: 'this system has no such addresses: IPv6 may be off',
  ENOTFOUND: 'no address is known for that name',
}

export function tellListenFailures(link: Link): void {
  hearFailures((target, error, emit) => {
    const failure = toFailure(error)
    if (failure === undefined || !link.isOpen()) return false
    if (link.isThread || isHandled(target)) {
      link.send({ type: 'listen-failed', ...failure })
      return false
    }
    let hasEmitted = false
    const then = (): void => {
      if (hasEmitted) return
      hasEmitted = true
      clearTimeout(timer)
      emitQuietly(error, emit)
    }
    const timer = setTimeout(then, SENT)
    link.send({ type: 'listen-failed', ...failure }, undefined, undefined, then)
    return true
  })
}

/** Whether the program has a say in what an 'error' does. */
function isHandled(target: FailedTarget): boolean {
  return (target as NodeJS.EventEmitter).listenerCount('error') > 0 || catches()
}

function catches(): boolean {
  return process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback()
}

/** Where the error is not caught, its exit code and the event 'exit' are Node's. Monitors of the program run before. */
function emitQuietly(error: unknown, emit: () => void): void {
  const onUncaught = (thrown: unknown): void => {
    if (thrown === error && !catches()) process.exit(UNCAUGHT)
  }
  process.on('uncaughtExceptionMonitor', onUncaught)
  emit()
  process.off('uncaughtExceptionMonitor', onUncaught)
}

/** Undefined for what is no failed system call of `listen`, `bind` or a lookup. */
function toFailure(error: unknown): ListenFailure | undefined {
  if (!(error instanceof Error)) return undefined
  const { address, code, hint, hostname, path, port } = error as NodeJS.ErrnoException & Record<string, unknown>
  const where = [address, path, hostname].find((one) => typeof one === 'string')
  if (typeof code !== 'string' || typeof where !== 'string' || !/^E[A-Z\d]+(?:_[A-Z]+)?$/.test(code)) return undefined
  const number = Number(port)
  const isPort = Number.isInteger(number) && number > 0 && number <= 0xffff
  const advice = typeof hint === 'string' ? hint : HINTS[code]
  return {
    code,
    address: where.slice(0, LONGEST_ADDRESS),
    port: isPort ? number : undefined,
    hint: advice?.slice(0, LONGEST_HINT),
  }
}

/** Characters that the supervisor takes. */
const LONGEST_ADDRESS = 1024
const LONGEST_HINT = 4096
