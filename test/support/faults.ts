import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { SystemFailure } from '../../src/common/errors.js'
import type { Addon, SocketRow } from '../../src/native/addon-contract.js'

/** The system calls that can be made to fail. */
export type SystemCall =
  | 'socket'
  | 'setsockopt'
  | 'getsockopt'
  | 'bind'
  | 'listen'
  | 'fstat'
  | 'getsockname'
  | 'sendto'
  | 'recvfrom'
  | 'connect'
  | 'poll'
  | 'shutdown'
  | 'duplicate'
  | 'close'
  | 'pidfd_open'
  | 'pidfd_getfd'
  | 'setpgid'
  | 'get_cpus'
  | 'set_cpus'

export interface ParsedDump {
  readonly progress: 'more' | 'done' | 'interrupted' | 'malformed'
  readonly rows: readonly SocketRow[]
}

interface FaultyAddon extends Addon {
  injectFault(call: SystemCall | 'foreign' | 'short', errno: number, after: number, times: number): void
  takeCalls(): SystemCall[]
  /** The program of a probe: port k belongs to slot k. */
  buildProbe(transport: 'tcp' | 'udp', ports: readonly number[]): Uint32Array | SystemFailure
  /** What the kernel says to it. */
  attachUnchecked(fd: number, level: number, name: number, program: Uint32Array): undefined | SystemFailure
  checkProgram(program: Uint32Array): undefined | SystemFailure
  parseDump(bytes: Uint8Array, sequence: number): ParsedDump | SystemFailure
}

/** The addon built over system calls that can be made to fail (test/native/faults_module.cc). */
export function loadFaultyAddon(): FaultyAddon {
  const module = { exports: {} as FaultyAddon }
  process.dlopen(module, fileURLToPath(new URL('../../build/Release/test_faults.node', import.meta.url)))
  return module.exports
}

export const ERRNO = constants.errno
