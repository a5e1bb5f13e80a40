import type net from 'node:net'
import process from 'node:process'
import { connectionDescriptor } from '../node/adopt.js'
import type { Addon } from './addon-contract.js'

/** The process at the other end of a unix socket, as the kernel tells it: SO_PEERCRED, unix(7). */
export interface Peer {
  /** In the pid namespace of this process; 0 where that does not see the peer. */
  readonly pid: number
  /** In the user namespace of this process. */
  readonly uid: number
  /** Whether the kernel holds it for the same user as this process. */
  readonly isOwn: boolean
}

/** Whether the addon tells peers on this system. Elsewhere the owner and mode of a folder have to do. */
export const TELLS_PEERS: boolean = process.platform === 'linux' || process.platform === 'android'

/** Undefined where the kernel does not tell, or the connection has ended. */
export function peerOf(addon: Addon, socket: net.Socket): Peer | undefined {
  const fd = connectionDescriptor(socket)
  if (fd === undefined) return undefined
  const peer = addon.peerOf(fd)
  return 'errno' in peer ? undefined : peer
}
