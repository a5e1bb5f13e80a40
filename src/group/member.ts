import { fstatSync } from 'node:fs'
import { ReusePortSteeringError } from '../common/errors.js'
import type { Transport } from '../common/transport.js'
import type { Addon } from '../native/addon-contract.js'
import { serverDescriptor } from '../node/adopt.js'
import type { ListenableServer } from '../node/server.js'
import { socketsOn } from './reader.js'
import { groupKey } from './rows.js'
import type { BoundSocket } from './socket-table.js'

/** A member with a descriptor of this process, through which its group is inspected and steered. */
export interface Member {
  readonly addon: Addon
  readonly fd: number
  readonly socket: BoundSocket
}

/**
 * The member that belongs to a listening server.
 *
 * @throws ReusePortSteeringError if the server has no listening socket of its own on a port; ReusePortInspectionError
 */
export function memberOf(addon: Addon, neededBy: string, server: ListenableServer): Member {
  const address = server.address()
  if (typeof address !== 'object' || address === null || !('port' in address)) {
    throw new ReusePortSteeringError('the server does not listen on a port')
  }
  const fd = serverDescriptor(server)
  if (fd === undefined) {
    throw new ReusePortSteeringError(
      "the server has no descriptor of its own: the cluster's primary accepts its connections",
    )
  }
  return memberWith(addon, neededBy, fd, Number(address.port))
}

/** As `memberOf`, for the descriptor of a socket that listens (TCP) or is bound (UDP). */
export function memberWith(
  addon: Addon,
  neededBy: string,
  fd: number,
  port: number,
  protocol: Transport = 'tcp',
): Member {
  const { ino } = fstatSync(fd)
  const socket = socketsOn(addon, neededBy, protocol, port).find(({ inode }) => inode === ino)
  if (socket === undefined) throw new ReusePortSteeringError(`the kernel does not list the socket with inode ${ino}`)
  return { addon, fd, socket }
}

/**
 * Whether the descriptor still refers to the member's socket: a program may close its server at any time, and listen
 * elsewhere.
 */
export function isStillMember({ fd, socket }: Member): boolean {
  try {
    return fstatSync(fd).ino === socket.inode
  } catch {
    return false
  }
}

/** The current members of the group, this one among them. @throws ReusePortInspectionError */
export function membersNow({ addon, socket }: Member, neededBy: string): readonly BoundSocket[] {
  const key = groupKey(socket)
  return socketsOn(addon, neededBy, socket.protocol, socket.port).filter((other) => groupKey(other) === key)
}
