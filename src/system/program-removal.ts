import { getSystemErrorName } from 'node:util'
import type { Addon } from '../native/addon-contract.js'

let asked: { readonly reason: string | undefined } | undefined

/**
 * Why this kernel cannot take a program away from a group; undefined where it can. SO_DETACH_REUSEPORT_BPF is of Linux
 * 5.3, SO_ATTACH_REUSEPORT_CBPF of 4.6. A program that chooses slots starves members when slots change, so it must not
 * stay. Asked once, by a socket that is in no group.
 */
export function whyProgramsStay(addon: Pick<Addon, 'openSocket' | 'detachProgram' | 'close'>): string | undefined {
  if (asked !== undefined) return asked.reason
  const fd = addon.openSocket({ transport: 'tcp', family: 4, ipv6Only: false, multipath: false })
  // What comes next fails too, and says why.
  if (typeof fd !== 'number') return undefined
  const failure = addon.detachProgram(fd)
  addon.close(fd)
  const isUnknown = failure !== undefined && getSystemErrorName(failure.errno) === 'ENOPROTOOPT'
  const reason =
    'this kernel cannot take a program away from a group: it needs Linux 5.3 (setsockopt ENOPROTOOPT for SO_DETACH_REUSEPORT_BPF)'
  asked = { reason: isUnknown ? reason : undefined }
  return asked.reason
}
