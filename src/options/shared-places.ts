// Pure: reads the variable REUSEPORT_PORTS.
import { resolve } from 'node:path'

/** @returns whether a port, or a unix path, is shared. A relative path is one of this process. */
export function parsePlaces(text: string | undefined): (place: number | string) => boolean {
  const names = (text ?? '').split(',').map((name) => name.trim())
  const wanted = new Set<number | string>()
  const unwanted = new Set<number | string>()
  for (const name of names.filter(Boolean)) {
    const place = name.replace('!', '')
    const isPort = /^!?\d+$/.test(name) && Number(place) <= 65_535
    if (!isPort && !/^[/@]./.test(place)) {
      throw new RangeError(
        `REUSEPORT_PORTS must list ports from 0 to 65535, with ! before a port that is not shared. Received '${name}'`,
      )
    }
    ;(name.startsWith('!') ? unwanted : wanted).add(isPort ? Number(place) : place)
  }
  return (place) => {
    const key = typeof place === 'number' ? place : place.startsWith('\0') ? `@${place.slice(1)}` : resolve(place)
    if (typeof key === 'number' && !Number.isInteger(key)) return false
    return !unwanted.has(key) && (wanted.size === 0 || wanted.has(key))
  }
}
