import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runJson } from '../support/run.js'

interface Failure {
  readonly message: string
  readonly code: string
  readonly hint: string | null
  readonly keys: readonly string[]
}

type Pair = Readonly<Record<'node' | 'ours', Failure>>

test.for(['listen', 'anywhere', 'bind'] as const)(
  'a low port without the privilege, by %s: what it takes',
  (how, { skip }) => {
    const first = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'))
    if (first <= 7) skip(`net.ipv4.ip_unprivileged_port_start is ${first}: no port takes a privilege`)
    const { node, ours } = runJson<Readonly<Record<typeof how, Pair>>>('low-port.mjs')[how]
    expect(ours.code).toBe('EACCES')
    expect(ours.keys).toEqual(node.keys)
    expect(ours.message).toBe(`${node.message}: ${ours.hint}`)
    expect(ours.hint).toMatch(
      RegExp(`^ports below ${first} take CAP_NET_BIND_SERVICE .*net\\.ipv4\\.ip_unprivileged_port_start=7$`),
    )
  },
)
