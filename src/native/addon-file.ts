import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const HEADER_SIZE = 64
const ELF_64_LITTLE_ENDIAN = Buffer.from('7f454c460201', 'hex')

/**
 * Whether a binary ends before its section header table, which linkers write last. Loading such a file ends the process
 * with SIGBUS, because the dynamic linker maps what the headers promise. The linker reports every other defect.
 * elf(5).
 */
export function isCutShort(file: string): boolean {
  const fd = openSync(file, 'r')
  try {
    const header = Buffer.alloc(HEADER_SIZE)
    if (readSync(fd, header, 0, HEADER_SIZE, 0) < HEADER_SIZE) return false
    if (!header.subarray(0, ELF_64_LITTLE_ENDIAN.length).equals(ELF_64_LITTLE_ENDIAN)) return false
    const sectionHeaders = Number(header.readBigUInt64LE(40))
    return fstatSync(fd).size < sectionHeaders + header.readUInt16LE(58) * header.readUInt16LE(60)
  } finally {
    closeSync(fd)
  }
}
