import { readFileSync } from 'node:fs'
import process from 'node:process'

/** The first port that takes no privilege, where the kernel does not say: ip(7), since Linux 4.11. */
const FIRST_UNPRIVILEGED = 1024

/**
 * Adds to an `EACCES` of a low port what the port takes: at the end of the message, and as `hint`. `hint` is not
 * enumerable, so that the keys stay Node's.
 */
export function explainDenied<E extends Error>(error: E, port: number): E {
  const first = firstUnprivileged()
  if (port === 0 || port >= first) return error
  const hint = `ports below ${first} take CAP_NET_BIND_SERVICE (AmbientCapabilities= of systemd, or setcap cap_net_bind_service=+ep on the binary of Node), or the system setting net.ipv4.ip_unprivileged_port_start=${port}`
  error.message += `: ${hint}`
  return Object.defineProperty(error, 'hint', { value: hint })
}

/** Of this network namespace. */
function firstUnprivileged(): number {
  if (process.platform !== 'linux') return 0
  try {
    return Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
  } catch {
    return FIRST_UNPRIVILEGED
  }
}
