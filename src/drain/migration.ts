import { readFileSync } from 'node:fs'
import os from 'node:os'
import { CVE_2026_46015, hasFix } from '../system/kernel-versions.js'

/**
 * Whether the kernel moves the handshakes and connections of a closing listener to another member, and wakes that
 * member: tcp_migrate_req (Linux 5.14) is set, and the kernel has the fix for CVE-2026-46015.
 */
export function migrates(): boolean {
  try {
    const setting = readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim()
    return setting === '1' && hasFix(os.release(), CVE_2026_46015) === 'yes'
  } catch {
    return false
  }
}
