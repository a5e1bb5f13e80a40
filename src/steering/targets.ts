import os from 'node:os'
import type { Member } from '../group/member.js'

/** An address at which this machine reaches a group, and the family of the packets that go there. */
export interface Target {
  readonly family: 4 | 6
  readonly address: string
}

/**
 * The addresses at which this machine reaches the group. A group at a wildcard is also probed at a random loopback
 * address, because the kernel prefers a socket that is bound to the specific address 127.0.0.1. A group at a single
 * address is probed twice, each time from other ports, because one of these ports may be in use by a socket that
 * swallows the probe. A group at an interface is probed at the addresses of the interface.
 */
export function targetsOf(member: Member): readonly Target[] {
  const { family, ipv6Only, device } = member.socket
  // A socket of IPv6 at an IPv4-mapped address (RFC 4291) receives packets of IPv4.
  const [, mapped] = /^::ffff:([\d.]+)$/.exec(member.socket.address) ?? []
  const address = mapped ?? member.socket.address
  if (address === '0.0.0.0') return device === 0 ? loopback() : addressesOf(member, [4])
  if (address === '::') {
    if (device !== 0) return addressesOf(member, ipv6Only === true ? [6] : [6, 4])
    const own: Target = { family: 6, address: '::1' }
    return ipv6Only === true ? [own, own] : [own, ...loopback()]
  }
  const only: Target = { family: family === 'IPv4' || mapped !== undefined ? 4 : 6, address }
  return [only, only]
}

function loopback(): readonly Target[] {
  const byte = (): number => 1 + Math.floor(Math.random() * 253)
  return [
    { family: 4, address: '127.0.0.1' },
    { family: 4, address: `127.${byte()}.${byte()}.${byte()}` },
  ]
}

function addressesOf({ addon, fd, socket }: Member, families: readonly (4 | 6)[]): readonly Target[] {
  const name = addon.getOption(fd, socket.family === 'IPv4' ? 4 : 6, 'bindToDevice')
  const addresses = os.networkInterfaces()[String(name)] ?? []
  return families.flatMap((family) =>
    addresses.filter((one) => one.family === `IPv${family}`).map(({ address }) => ({ family, address })),
  )
}
