import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { freePort } from '../support/listeners.js'

test('ports that tests find are none that the kernel gives to somebody else meanwhile', async ({ skip }) => {
  const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)
  skip(Number(first) <= 31_000, 'net.ipv4.ip_local_port_range is wider here than Linux has it')
  const found = new Set<number>()
  for (let count = 0; count < 50; count++) found.add(await freePort())
  expect(found.size).toBe(50)
  expect(Math.max(...found)).toBeLessThan(Number(first))
})
