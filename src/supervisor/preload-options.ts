// Pure: by which option of Node a process gets the preload. With --import some versions load the program asynchronously:
// what a primary of cluster sends a worker that is online arrives before the program listens, and is lost (Node 20 and 22).

/** Releases from which on `--require` loads an ES module and prints no warning about it. */
const SILENT: readonly (readonly [major: number, minor: number])[] = [
  [20, 19],
  [22, 13],
]
const SILENT_SINCE = 24

/**
 * Whether `--require` loads the preload, which is an ES module, without a warning in the program's output.
 *
 * @param node The version of Node. @param options All options of the process. @param isEnabled Whether this process can
 * `require` such modules: `process.features.require_module`.
 */
export function isRequirable(node: string, options: readonly string[], isEnabled: boolean): boolean {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isSilent = major >= SILENT_SINCE || SILENT.some(([line, from]) => line === major && minor >= from)
  return isEnabled && isSilent && !options.some((option) => /^--no-(experimental-)?require-module$/.test(option))
}

/**
 * The options with `--require` in place of `--import` where that names the preload.
 *
 * @param toFile The file of the preload, by what `--import` names; undefined for other modules.
 */
export function requiring(
  options: readonly string[],
  toFile: (specifier: string) => string | undefined,
): readonly string[] {
  return options.flatMap((option, index) => {
    if (options[index - 1] === '--import') return []
    const specifier = option === '--import' ? options[index + 1] : option.match(/^--import=(.*)$/s)?.[1]
    if (specifier === undefined) return [option]
    const file = toFile(specifier)
    if (file !== undefined) return ['--require', file]
    return option === '--import' ? [option, specifier] : [option]
  })
}

/** The same for the text of NODE_OPTIONS, where quotes keep blanks and a backslash keeps a quote. */
export function requiringInText(text: string, toFile: (specifier: string) => string | undefined): string {
  return text.replace(/(?<=^| )--import\b(?:=| +)((?:"(?:[^"\\]|\\.)*"|[^ "])+)/g, (whole, given: string) => {
    const file = toFile(
      given.replace(/"((?:[^"\\]|\\.)*)"/g, (_quoted, inner: string) => inner.replace(/\\(.)/gs, '$1')),
    )
    return file === undefined ? whole : `--require "${file.replace(/["\\]/g, '\\$&')}"`
  })
}
