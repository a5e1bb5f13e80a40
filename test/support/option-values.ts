import { readFileSync } from 'node:fs'

/** For each option of the table a value that is not its initial one, and what is read back where that differs. */
export interface OptionSample {
  readonly given: unknown
  readonly read?: unknown
  /** What an accepted socket then has, where that is neither this nor what one of a plain listener has. */
  readonly accepted?: (value: unknown) => boolean
  /** A bit of CapEff in /proc/self/status, where setting it takes that capability on this kernel. */
  readonly capability?: number
  /** Linux 6.18 does not want it; which was the first is not known. */
  readonly allowedByNewerKernels?: boolean
}

export const CAP_NET_ADMIN = 12

export function hasCapability(bit: number): boolean {
  const mask = /^CapEff:\s+([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${mask}`) >> BigInt(bit)) & 1n) === 1n
}

export const SAMPLES: Readonly<Record<string, OptionSample>> = {
  // Linux doubles both.
  receiveBufferSize: { given: 20_000, read: 40_000 },
  sendBufferSize: { given: 30_000, read: 60_000 },
  mark: { given: 0x8000_0007, capability: CAP_NET_ADMIN },
  bindToDevice: { given: 'lo' },
  freebind: { given: true },
  transparent: { given: true, capability: CAP_NET_ADMIN },
  // The CPU that handled its last packet.
  incomingCpu: { given: 0, accepted: (value) => typeof value === 'number' && value >= 0 },
  busyPoll: { given: 7, capability: CAP_NET_ADMIN, allowedByNewerKernels: true },
  typeOfService: { given: 0x10 },
  priority: { given: 3 },
  trafficClass: { given: 0x20 },
  ttl: { given: 42 },
  hopLimit: { given: 43 },
  // Rounded up to a time of retransmission.
  deferAccept: { given: 5, read: 7 },
  fastOpen: { given: 17 },
  noDelay: { given: true },
  keepAlive: {
    given: { idle: 50, interval: 11, count: 4 },
    read: { idle: 50, interval: 11, count: 4 },
  },
  userTimeout: { given: 12_345 },
  congestion: { given: 'reno' },
  // Less the timestamps in each segment.
  maxSegment: { given: 1000, accepted: (value) => value === 1000 || value === 988 },
  notSentLowWater: { given: 16_384 },
  linger: { given: 6 },
  quickAck: { given: false },
  // A client that speaks plain TCP gets plain TCP.
  mptcp: { given: true, accepted: (value) => value === false },
  acceptFilter: { given: 'dataready' },
  broadcast: { given: true },
  multicastLoop: { given: false },
  multicastTtl: { given: 5 },
  receivePacketInfo: { given: true },
  gro: { given: true },
}
