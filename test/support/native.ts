import type { SystemFailure } from '../../src/common/errors.js'
import { openListener as open } from '../../src/listen/shared-socket.js'
import type { Addon } from '../../src/native/addon-contract.js'

/** A plain listener, in the steps in which the library opens one. */
export function openListener(
  addon: Addon,
  { family, address, port }: { readonly family: 4 | 6; readonly address: string; readonly port: number },
): number | SystemFailure {
  const configuration = { settings: [], raw: [], onSocket: undefined, maxMembers: undefined }
  const request = { transport: 'tcp', port, ipv6Only: false, backlog: 511, configuration } as const
  return open(addon, request, { family, address })
}
