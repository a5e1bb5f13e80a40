import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const native = fileURLToPath(new URL('../src-native', import.meta.url))

/**
 * The C++ files in these folders of src-native, as paths from the root of the project.
 *
 * @type {(...folders: readonly string[]) => readonly string[]}
 */
export function sourcesIn(...folders) {
  return folders.flatMap((folder) =>
    readdirSync(path.join(native, folder))
      .filter((name) => name.endsWith('.cc'))
      .map((name) => path.join('src-native', folder, name)),
  )
}

/** The folders of the code for Linux without Node-API. Together with test/native/exercise.cc they make a program. */
export const LINUX_CORE = ['core', 'platform/socket_flags', 'platform/linux']
