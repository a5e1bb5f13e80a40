import type {
  ListenError,
  ReusePortAddonError,
  ReusePortSteeringError,
  ReusePortUnsupportedError,
} from '../common/errors.js'
import type { ReusePortGroupFullError, ReusePortInspectionError, ReusePortLockError } from '../group/group-errors.js'
import type {
  ReusePortOptionDeniedError,
  ReusePortOptionRefusedError,
  ReusePortOptionUnsupportedError,
} from '../options/option-errors.js'
import type { AddressInUse } from './address-in-use.js'

/** `EADDRINUSE`, which says on Linux who has the port. */
export interface AddressInUseError extends ListenError, Partial<AddressInUse> {
  code: 'EADDRINUSE'
  readonly hint?: string
}

/** The other errors of `bind(2)` and `listen(2)`, as Node emits them. */
export interface ListenSystemError extends ListenError {
  code:
    | 'EACCES'
    | 'EADDRNOTAVAIL'
    | 'EAFNOSUPPORT'
    | 'EINVAL'
    | 'EMFILE'
    | 'ENFILE'
    | 'ENOBUFS'
    | 'ENOMEM'
    | 'ENOTSUP'
    | 'EPERM'
}

/** The error of `dns.lookup` for the host. */
export interface ListenLookupError extends Error {
  code: 'ENOTFOUND' | 'EAI_AGAIN' | 'EAI_FAIL' | 'EAI_FAMILY' | 'EAI_MEMORY' | 'EAI_NODATA' | 'EAI_SYSTEM'
  errno: number
  syscall: 'getaddrinfo'
  hostname: string
}

/**
 * What the `'error'` of a server or dgram socket may bring because of `listenReusePort`, `bindReusePort` and their options,
 * to be told apart by `code`. Errors that the program causes itself come there too: what `onSocket` throws, for example.
 */
export type ListenReusePortError =
  | AddressInUseError
  | ListenSystemError
  | ListenLookupError
  | ReusePortAddonError
  | ReusePortGroupFullError
  | ReusePortInspectionError
  | ReusePortLockError
  | ReusePortOptionDeniedError
  | ReusePortOptionRefusedError
  | ReusePortOptionUnsupportedError
  | ReusePortSteeringError
  | ReusePortUnsupportedError
