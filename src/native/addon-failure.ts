// Pure: explains why the addon did not load.
/** The part of `process` that decides which binary fits. */
export interface Target {
  readonly platform: string
  readonly arch: string
}

const BUILD = "run 'npx reuseport build', which compiles the addon on this machine"

/**
 * Says why the addon does not load and what to do, in one line without a full stop. Recognises the messages of
 * node-gyp-build, of Node, and of the dynamic linkers of glibc, musl and macOS.
 */
export function explainMissingAddon(cause: unknown, { platform, arch }: Target): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause)
  switch (code) {
    case 'ERR_DLOPEN_DISABLED':
      return 'native addons are disabled in this process; start Node without --no-addons, and with --allow-addons under --permission'
    case 'ERR_ACCESS_DENIED':
      return `the permission model forbids reading ${resourceOf(cause)}; add --allow-fs-read for the package's folder`
    // In a CommonJS bundle the module has no path of its own (ERR_INVALID_ARG_VALUE).
    case 'ERR_INVALID_ARG_VALUE':
    case 'MODULE_NOT_FOUND':
      return "the installed package or its dependency node-gyp-build cannot be found; install 'reuseport', and if a bundler included it, mark 'reuseport' as external"
    case 'ERR_DLOPEN_FAILED':
      return explainRefusal(message)
  }
  if (message.startsWith('No native build was found')) {
    return `there is no binary for ${platform}-${arch}; ${BUILD} (if a bundler included the package, mark 'reuseport' as external)`
  }
  return `the addon does not load (${message})`
}

function resourceOf(cause: unknown): string {
  const { resource } = cause as { resource?: unknown }
  return typeof resource === 'string' && resource !== '' ? resource : "the addon's files"
}

const REFUSALS: readonly (readonly [RegExp, string])[] = [
  [/version [`'].*' not found/, `the addon's binary needs a newer system library than this system has; ${BUILD}`],
  [
    /wrong ELF class|incompatible architecture|Exec format|Error relocating|cannot open shared object file|No such file/,
    `the addon's binary is for another system; reinstall the package on this system, or ${BUILD}`,
  ],
  [
    /ELF|too short|not a mach-o|file format|did not self-register|load segment/i,
    "the addon's binary is damaged; reinstall the package",
  ],
]

function explainRefusal(message: string): string {
  const advice =
    REFUSALS.find(([pattern]) => pattern.test(message))?.[1] ?? `the addon's binary does not load; ${BUILD}`
  return `${advice} (${message})`
}
