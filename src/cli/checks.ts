import { readFileSync } from 'node:fs'
import os from 'node:os'
import process from 'node:process'
import { type Capabilities, capabilities, type Group, inspectGroups } from '../index.js'
import { CVE_2026_46015, CVE_2026_52910, hasFix, isAtLeast } from '../system/kernel-versions.js'

/** `yes` and `no` are judgements, `note` is information, `unknown` is a check without a result. */
export type Status = 'yes' | 'no' | 'note' | 'unknown'

export interface Check {
  readonly name: string
  readonly status: Status
  readonly value: string
  /** What to do about the result, or what it means for the user. */
  readonly advice: string | undefined
}

function check(name: string, status: Status, value: string, advice?: string): Check {
  return { name, status, value, advice }
}

/** Runs all checks of this system, in the order of the report. */
export async function findOut(): Promise<readonly Check[]> {
  const system = capabilities()
  const { reasons } = system
  const isLinux = process.platform === 'linux'
  const general = [
    check('system', 'note', `${os.type()} ${os.release()} ${process.arch}, Node ${process.versions.node}`),
    check('surroundings', 'note', surroundings()),
    system.addon
      ? check('addon', 'yes', system.binary ?? 'loaded')
      : check('addon', 'no', 'not loaded', `${reasons.addon}. ${meanwhile(system)}`),
    system.option === null
      ? check('option', 'no', 'none', reasons.supported)
      : check('option', 'yes', system.option, reasons.probe),
    system.balanced
      ? check('balanced', 'yes', `by ${system.semantics}`)
      : check('balanced', 'no', system.semantics, reasons.balanced),
    permissions(),
  ]
  if (!isLinux) return general
  return [...general, ...linuxChecks(system), await backlogs(), openFiles()]
}

function meanwhile({ supported }: Capabilities): string {
  return supported
    ? "Until then Node's own reusePort serves, without socket options, ls, steering and drain"
    : "Until then no port is shared: listenReusePort fails, or listens alone with fallback: 'exclusive'"
}

function surroundings(): string {
  const version = read('/proc/version') ?? ''
  if (/microsoft/i.test(version)) return os.release().includes('WSL2') ? 'WSL 2' : 'WSL'
  if (read('/proc/version')?.includes('gVisor')) return 'gVisor'
  const cgroups = `${read('/proc/1/cgroup') ?? ''}${read('/proc/self/mountinfo') ?? ''}`
  const isContainer = /docker|kubepods|containerd|libpod|lxc/.test(cgroups) || read('/run/.containerenv') !== undefined
  return isContainer ? 'a container' : 'no container detected'
}

function permissions(): Check {
  const { permission } = process as { permission?: { has(scope: string): boolean } }
  if (permission === undefined) return check('permission model', 'note', 'off')
  return check(
    'permission model',
    'note',
    'on',
    'port sharing needs --allow-addons, and --allow-net where Node has that flag',
  )
}

function linuxChecks(system: Capabilities): readonly Check[] {
  const release = os.release()
  return [classicBpf(system), bpfReplacement(release), incomingCpu(release), migration(release)]
}

function classicBpf({ addon, reasons, steering }: Capabilities): Check {
  const name = 'classic BPF'
  if (!addon) return check(name, 'unknown', 'cannot be tested', 'this test needs the addon')
  return steering
    ? check(name, 'yes', 'available')
    : check(name, 'no', 'not available', `connections cannot be steered: ${reasons.steering}`)
}

function bpfReplacement(release: string): Check {
  const name = 'CVE-2026-52910'
  const verdict = hasFix(release, CVE_2026_52910)
  if (verdict === 'yes') return check(name, 'yes', 'fixed')
  const advice =
    'replacing the program of a group under traffic can crash the kernel. Linux 6.12.93 and the stable releases of mid-2026 have the fix: ask your distribution'
  return check(
    name,
    verdict,
    verdict === 'no' ? `not fixed in ${release}` : `${release} may or may not have the fix`,
    advice,
  )
}

function incomingCpu(release: string): Check {
  if (isAtLeast(release, 6, 2)) return check('SO_INCOMING_CPU', 'yes', 'honoured in a group')
  return check('SO_INCOMING_CPU', 'no', 'not honoured in a group', 'the option incomingCpu needs Linux 6.2')
}

function migration(release: string): Check {
  const name = 'tcp_migrate_req'
  const setting = read('/proc/sys/net/ipv4/tcp_migrate_req')
  if (setting === undefined) return check(name, 'unknown', 'this kernel lacks the setting', 'it came with Linux 5.14')
  if (setting === '0') {
    const advice = 'closing a listener resets the connections in its accept queue; 1 moves them to another member'
    return check(name, 'note', '0', advice)
  }
  const isFixed = hasFix(release, CVE_2026_46015) === 'yes'
  const advice =
    'CVE-2026-46015: the kernel may fail to wake the process that gets a connection. Update the kernel, or set 0'
  return isFixed ? check(name, 'yes', setting) : check(name, 'no', setting, advice)
}

async function backlogs(): Promise<Check> {
  const name = 'somaxconn'
  const limit = Number(read('/proc/sys/net/core/somaxconn'))
  if (!(limit > 0)) return check(name, 'unknown', 'cannot be read')
  let groups: readonly Group[]
  try {
    groups = await inspectGroups({ protocol: 'tcp' })
  } catch (error) {
    return check(name, 'note', String(limit), error instanceof Error ? error.message : undefined)
  }
  const capped = groups.filter(({ members }) => members.some(({ backlog }) => backlog >= limit))
  if (capped.length === 0) return check(name, 'yes', `${limit}, above every backlog in use`)
  const ports = [...new Set(capped.map(({ port }) => port))].join(', ')
  return check(
    name,
    'note',
    `${limit}, reached on port ${ports}`,
    'a listener asked for this backlog, or for a longer one that the kernel cut: raise net.core.somaxconn',
  )
}

function openFiles(): Check {
  const name = 'open files'
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(read('/proc/self/limits') ?? '') ?? []
  if (soft === undefined) return check(name, 'unknown', 'cannot be read')
  const isLow = soft !== 'unlimited' && Number(soft) < 4096
  const advice = `each connection takes a descriptor: raise the limit (ulimit -n, LimitNOFILE=), up to ${hard}`
  return isLow ? check(name, 'note', soft, advice) : check(name, 'yes', soft)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
