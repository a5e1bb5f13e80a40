import { readFileSync } from 'node:fs'
import process from 'node:process'
import type { SystemFailure } from '../common/errors.js'
import type { Addon } from './addon-contract.js'
import { OwnedDescriptor } from './owned-descriptor.js'

/** The signals that are sent to other processes, by their numbers: signal(7). */
const SIGTERM = 15

/**
 * A process that a number named at one moment. Where the kernel has pidfds (Linux 5.3) the handle goes on naming that
 * process when it has ended and its number belongs to another; elsewhere it is as good as the number. pidfd_open(2)
 */
export class ProcessHandle {
  readonly pid: number
  readonly #addon: Addon
  readonly #descriptor: OwnedDescriptor | undefined

  private constructor(addon: Addon, pid: number, descriptor: OwnedDescriptor | undefined) {
    this.#addon = addon
    this.pid = pid
    this.#descriptor = descriptor
  }

  /** @returns undefined where there is no such process, for 1 (init), and for what is not a number of one process. */
  static open(addon: Addon, pid: number): ProcessHandle | undefined {
    if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
    const fd = addon.openProcess(pid)
    if (typeof fd === 'number') return new ProcessHandle(addon, pid, new OwnedDescriptor(addon, fd, 4))
    return isAbsent(fd) && exists(pid) ? new ProcessHandle(addon, pid, undefined) : undefined
  }

  /** Tells the process to end. @returns why not; undefined also where it has ended. */
  terminate(): SystemFailure | undefined {
    if (this.hasEnded()) return undefined
    if (this.#descriptor !== undefined) return this.#addon.signalProcess(this.#descriptor.fd, SIGTERM)
    try {
      process.kill(this.pid, SIGTERM)
      return undefined
    } catch (error) {
      return { errno: (error as { errno: number }).errno, syscall: 'kill' }
    }
  }

  /** Whether it has ended; a zombie has. */
  hasEnded(): boolean {
    if (this.#descriptor === undefined) return !exists(this.pid)
    const ended = this.#addon.hasProcessEnded(this.#descriptor.fd)
    return typeof ended === 'boolean' ? ended : !exists(this.pid)
  }

  /** Whether a signal or a debugger has stopped it. Linux: proc(5) */
  isStopped(): boolean {
    try {
      return /^State:\s+[Tt]/m.test(readFileSync(`/proc/${this.pid}/status`, 'latin1'))
    } catch {
      return false
    }
  }

  close(): void {
    this.#descriptor?.close()
  }
}

/** The kernel is older than pidfds, or a seccomp filter denies them. */
function isAbsent({ errno }: SystemFailure): boolean {
  return errno === -38 || errno === -1
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
