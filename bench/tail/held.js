import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * The clients' ports of the connections of which a process has a descriptor. What a stopped process has accepted its
 * program may not know yet. proc_net_tcp(5)
 *
 * @param {number} pid
 */
export function heldPorts(pid) {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => inodeOf(`/proc/${pid}/fd/${fd}`)))
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
  const fields = rows
    .map((row) => row.trim().split(/\s+/))
    .filter(([, , , , , , , , , inode = '0']) => inodes.has(inode))
  return new Set(fields.map(([, , peer = '']) => Number.parseInt(peer.split(':')[1] ?? '', 16)))
}

/** @param {string} path */
function inodeOf(path) {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1] ?? ''
  } catch {
    return ''
  }
}
