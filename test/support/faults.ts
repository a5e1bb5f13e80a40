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
  | 'accept'
  | 'fchown'
  | 'poll'
  | 'shutdown'
  | 'duplicate'
  | 'close'
  | 'pidfd_open'
  | 'pidfd_getfd'
  | 'pidfd_send_signal'
  | 'sendmsg'
  | 'recvmsg'
  | 'read_file'
  | 'kill'
  | 'setpgid'
  | 'get_cpus'
  | 'set_cpus'
  | 'socketpair'
  | 'pthread_create'
  | 'epoll_create1'
  | 'epoll_ctl'

export interface ParsedDump {
  readonly progress: 'more' | 'done' | 'interrupted' | 'malformed'
  readonly rows: readonly SocketRow[]
}

export interface ParsedUnixNames {
  readonly progress: ParsedDump['progress']
  readonly rows: readonly { type: number; state: number; name: string; uid: number | null }[]
}

interface FaultyAddon extends Addon {
  injectFault(
    call: SystemCall | 'foreign' | 'short' | 'overflowuid' | 'uid_map',
    errno: number,
    after: number,
    times: number,
  ): void
  takeCalls(): SystemCall[]
  /** The program of a probe: port k belongs to slot k, or the payload of what comes from these ports names the slot. */
  buildProbe(by: 'port' | 'payload', ports: readonly number[]): Uint32Array | SystemFailure
  /** What the kernel says to it. */
  attachUnchecked(fd: number, level: number, name: number, program: Uint32Array): undefined | SystemFailure
  checkProgram(program: Uint32Array): undefined | SystemFailure
  parseDump(bytes: Uint8Array, sequence: number): ParsedDump | SystemFailure
  parseUnixNames(bytes: Uint8Array, sequence: number): ParsedUnixNames | SystemFailure
  /** Two connected unix sockets, which the test closes. */
  socketPair(): [number, number]
  /** One message as it is, with any number of descriptors up to eight. Gives how many bytes were sent. */
  sendRaw(socket: number, text: string, fds: readonly number[]): number
}

/** The addon built over system calls that can be made to fail (test/native/faults_module.cc). */
export function loadFaultyAddon(): FaultyAddon {
  const module = { exports: {} as FaultyAddon }
  process.dlopen(module, fileURLToPath(new URL('../../build/Release/test_faults.node', import.meta.url)))
  return module.exports
}

export const ERRNO = constants.errno
