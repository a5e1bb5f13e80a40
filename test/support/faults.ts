import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Addon } from '../../src/addon.js'

/** The system calls in the path of a listen. */
export type SystemCall = 'socket' | 'setsockopt' | 'getsockopt' | 'bind' | 'listen' | 'fstat' | 'getsockname' | 'close'

interface FaultyAddon extends Addon {
  injectFault(call: SystemCall, errno: number, after: number, times: number): void
  takeCalls(): SystemCall[]
}

/** The addon built over system calls that can be made to fail (test/native/faults_module.cc). */
export function loadFaultyAddon(): FaultyAddon {
  const module = { exports: {} as FaultyAddon }
  process.dlopen(module, fileURLToPath(new URL('../../build/Release/test_faults.node', import.meta.url)))
  return module.exports
}

export const ERRNO = constants.errno
