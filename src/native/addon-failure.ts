// Pure: explains why the addon did not load.
/** What of `process` decides which binary fits. */
export interface Target {
  readonly platform: string
  readonly arch: string
}

const BUILD = "run 'npx reuseport build', which compiles it here"

/**
 * Why the addon does not load, and what to do about it: in one line, without a full stop. The messages are those of
 * node-gyp-build, of Node and of the dynamic linkers of glibc, musl and macOS.
 */
export function explainMissingAddon(cause: unknown, { platform, arch }: Target): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
  switch (code) {
    case 'ERR_DLOPEN_DISABLED':
      return 'native addons are disabled here; start Node without --no-addons, and with --allow-addons under --permission'
    case 'ERR_ACCESS_DENIED':
      return `the permission model forbids reading ${resourceOf(cause)}; add --allow-fs-read for the package's folder`
    // Without a path of its own: in a bundle of CommonJS.
    case 'ERR_INVALID_ARG_VALUE':
    case 'MODULE_NOT_FOUND':
      return "its package is not where it was installed with node-gyp-build; install it, and where a bundler took it in, mark 'reuseport' as external"
    case 'ERR_DLOPEN_FAILED':
      return explainRefusal(message)
  }
  if (message.startsWith('No native build was found')) {
    return `there is no binary for ${platform}-${arch}; ${BUILD} (a bundler that took the package in has to leave it external)`
  }
  return `it does not load (${message})`
}

function resourceOf(cause: unknown): string {
  const { resource } = cause as { resource?: unknown }
  return typeof resource === 'string' && resource !== '' ? resource : 'its files'
}

const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/version [`'].*' not found/, `its binary needs a newer system library than there is; ${BUILD}`],
  [
    /wrong ELF class|incompatible architecture|Exec format|Error relocating|cannot open shared object file|No such file/,
    `its binary is for another system; reinstall the package on this one, or ${BUILD}`,
  ],
  [
    /ELF|too short|not a mach-o|file format|did not self-register|load segment/i,
    'its binary is damaged; reinstall the package',
  ],
]

function explainRefusal(message: string): string {
  const advice = REFUSALS.find(([pattern]) => pattern.test(message))?.[1] ?? `its binary does not load; ${BUILD}`
  return `${advice} (${message})`
}
