// Pure: reads the variable REUSEPORT_PORTS.

/** @returns whether a port, or a unix path, is shared. Paths are absolute, or abstract with @ in front. */
export function parsePlaces(text: string | undefined): (place: number | string) => boolean {
  const names = (text ?? '').split(',').map((name) => name.trim())
  const wanted = new Set<number | string>()
  const unwanted = new Set<number | string>()
  for (const name of names.filter(Boolean)) {
    const place = name.replace('!', '')
    const isPort = /^!?\d+$/.test(name) && Number(place) <= 65_535
    if (!isPort && !/^[/@]./.test(place)) {
      throw new RangeError(
        `REUSEPORT_PORTS must list ports from 0 to 65535, or unix paths (/run/app.sock, @name), with ! before what is not shared. Received '${name}'`,
      )
    }
    ;(name.startsWith('!') ? unwanted : wanted).add(isPort ? Number(place) : place)
  }
  return (place) => {
    if (typeof place === 'number' && !Number.isInteger(place)) return false
    return !unwanted.has(place) && (wanted.size === 0 || wanted.has(place))
  }
}
