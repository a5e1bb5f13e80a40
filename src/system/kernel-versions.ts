// Pure: reads the release of a Linux kernel and says whether it has a fix.

export type Verdict = 'yes' | 'no' | 'unknown'

type Version = readonly [number, number, number]

export function parseRelease(release: string): Version | undefined {
  const [, major, minor, patch = '0'] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release) ?? []
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}

export function isAtLeast(release: string, major: number, minor: number): boolean {
  const version = parseRelease(release)
  return version !== undefined && (version[0] > major || (version[0] === major && version[1] >= minor))
}

/** The first release with a fix, for each stable line. Distributions also fix older releases. */
export interface Fix {
  readonly lines: readonly Version[]
  /** Whether `lines` is complete: then all later lines have the fix, and no other line has it. */
  readonly complete: boolean
}

/** Replacing the program of a group under traffic uses freed memory. */
export const CVE_2026_52910: Fix = { lines: [[6, 12, 93]], complete: false }

/** With tcp_migrate_req, the kernel does not wake the process that gets a migrated connection. */
export const CVE_2026_46015: Fix = {
  lines: [
    [5, 15, 209],
    [6, 1, 175],
    [6, 6, 140],
    [6, 12, 86],
    [6, 18, 27],
    [7, 0, 4],
  ],
  complete: true,
}

export function hasFix(release: string, { lines, complete }: Fix): Verdict {
  const version = parseRelease(release)
  if (version === undefined) return 'unknown'
  const [major, minor, patch] = version
  const line = lines.find((fixed) => fixed[0] === major && fixed[1] === minor)
  if (line !== undefined) return patch >= line[2] ? 'yes' : 'no'
  if (!complete) return 'unknown'
  const isLater = lines.every((fixed) => major > fixed[0] || (major === fixed[0] && minor > fixed[1]))
  return isLater ? 'yes' : 'no'
}
