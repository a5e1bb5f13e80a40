import { fstatSync } from 'node:fs'
import { ReusePortSteeringError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { Addon } from '../native/addon-contract.js'
import { serverDescriptor } from '../node/adopt.js'
import type { ListenableServer } from '../node/server.js'
import { socketsOn } from './reader.js'
import { groupKey } from './rows.js'
import type { BoundSocket } from './socket-table.js'

/** A descriptor of a member, by which its group is looked at and steered. */
export interface Member {
  readonly addon: Addon
  readonly fd: number
  readonly socket: BoundSocket
}

/**
 * The member that a listening server is.
 *
 * @throws ReusePortSteeringError where it has no listening socket of its own on a port; ReusePortInspectionError
 */
export function memberOf(addon: Addon, neededBy: string, server: ListenableServer): Member {
  const address = server.address()
  if (typeof address !== 'object' || address === null || !('port' in address)) {
    throw new ReusePortSteeringError('the server does not listen on a port')
  }
  const fd = serverDescriptor(server)
  if (fd === undefined) {
    throw new ReusePortSteeringError("the server has no descriptor of its own: a cluster's primary accepts for it")
  }
  return memberWith(addon, neededBy, fd, Number(address.port))
}

/** As `memberOf`, for a descriptor that listens, or is bound. */
export function memberWith(
  addon: Addon,
  neededBy: string,
  fd: number,
  port: number,
  protocol: Transport = 'tcp',
): Member {
  const { ino } = fstatSync(fd)
  const socket = socketsOn(addon, neededBy, protocol, port).find(({ inode }) => inode === ino)
  if (socket === undefined) throw new ReusePortSteeringError('the kernel does not list its socket')
  return { addon, fd, socket }
}

/** Whether its descriptor still is its socket's: a program may close its server at any time, and listen elsewhere. */
export function isStillMember({ fd, socket }: Member): boolean {
  try {
    return fstatSync(fd).ino === socket.inode
  } catch {
    return false
  }
}

/** The sockets between which the kernel chooses at this moment, this one among them. @throws ReusePortInspectionError */
export function membersNow({ addon, socket }: Member, neededBy: string): readonly BoundSocket[] {
  const key = groupKey(socket)
  return socketsOn(addon, neededBy, socket.protocol, socket.port).filter((other) => groupKey(other) === key)
}
