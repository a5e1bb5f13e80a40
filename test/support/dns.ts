// Queries of DNS, and what of an answer tests look at. RFC 1035
const HEADER = 12 // bytes
export const TXT = 16
export const A = 1

export function dnsQuery(id: number, name: string, type: number): Buffer {
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(0x0100, 2) // recursion desired
  header.writeUInt16BE(1, 4)
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1])])
}

export interface DnsAnswer {
  readonly id: number
  readonly code: number
  /** The data of the only record. */
  readonly data: Buffer | undefined
}

export function parseDnsAnswer(message: Buffer): DnsAnswer {
  const hasRecord = message.readUInt16BE(6) === 1
  let at = HEADER
  while (message[at] !== 0) at += 1 + (message[at] as number)
  const record = at + 5
  const data = hasRecord ? message.subarray(record + 12, record + 12 + message.readUInt16BE(record + 10)) : undefined
  return { id: message.readUInt16BE(0), code: (message[3] as number) & 0xf, data }
}
