import type { Transport } from '../common/transport.js'
import type { Addon } from '../native/addon-contract.js'
import type { Group } from './group-types.js'
import { seeProcesses } from './processes.js'
import { groupsOf } from './rows.js'
import { type BoundSocket, connectionReader, readSocketTable } from './socket-table.js'

/**
 * The sockets that serve a port, or every port (0): TCP listeners, or UDP sockets that are bound and not connected.
 *
 * @throws ReusePortInspectionError
 */
export function socketsOn(addon: Addon, neededBy: string, protocol: Transport, port: number): readonly BoundSocket[] {
  return readSocketTable(addon, neededBy, protocol, [protocol === 'tcp' ? 'listening' : 'closed'], port)
}

/** The groups of these sockets, with the processes that this process can see. @throws ReusePortInspectionError */
export function readGroups(addon: Addon, neededBy: string, sockets: readonly BoundSocket[]): readonly Group[] {
  const ports = new Set(sockets.map(({ port }) => port))
  return groupsOf(sockets, seeProcesses(addon, sockets, connectionReader(addon, neededBy, ports)))
}
