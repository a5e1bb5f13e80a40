import { closeSync, constants, openSync, readSync } from 'node:fs'

/** More than the mounts of a large host. */
const MOST_BYTES = 1 << 20

/** Files of /proc come in parts. What cannot be read, as without the right to, is no file. */
export function readBounded(file: string): string | undefined {
  let fd: number | undefined
  try {
    // A file that is not what the kernel mounts there must not block.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const parts: Buffer[] = []
    for (let size = 0; size < MOST_BYTES; ) {
      const part = Buffer.allocUnsafe(4096)
      const length = readSync(fd, part)
      if (length === 0) break
      parts.push(part.subarray(0, length))
      size += length
    }
    return Buffer.concat(parts).toString()
  } catch {
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
