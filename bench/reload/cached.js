// `reuseport run` with its compile cache and without, on each version of Node that has one.
import { fileURLToPath } from 'node:url'
import { NODE_VERSIONS, nodeBinary } from '../../scripts/nodes.mjs'
import { command } from '../common/command.js'
import { environment, foreground, runNode } from '../managers/starters.js'

const program = fileURLToPath(new URL('./program.js', import.meta.url))

export const VERSIONS = /** @type {const} */ ([22, 24, 26])

/** @param {number} version @param {readonly string[]} options @returns {import('../managers/manager.js').Starter} */
const starter = (version, options) => async (place) =>
  foreground(nodeBinary(version), [command, 'run', '-n', '2', ...options, program], environment(place), (pid) =>
    runNode([command, 'reload', String(pid)]),
  )

/** @param {number} version */
const names = (version) => [`cache-${version}`, `plain-${version}`]

/** Their names of one version. */
export const cachedOf = names

/** @param {number} version */
function both(version) {
  const [cached = '', plain = ''] = names(version)
  const prepare = () => {
    nodeBinary(version)
    return NODE_VERSIONS[version]
  }
  return {
    [cached]: { label: `Node ${version}, --compile-cache`, prepare, start: starter(version, ['--compile-cache']) },
    [plain]: { label: `Node ${version}, without`, prepare, start: starter(version, []) },
  }
}

/** @type {Readonly<Record<string, import('../common/benchmark.js').Competitor & { start: import('../managers/manager.js').Starter }>>} */
export const CACHED = Object.assign({}, ...VERSIONS.map(both))
