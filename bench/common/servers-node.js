// The Node that the servers of all competitors run on. `reusePort` takes Node 22.12, or 23.1 for dgram; an older Node runs only
// the benchmark itself.
import process from 'node:process'
import { NODE_VERSIONS, nodeBinary } from '../../scripts/nodes.mjs'

const isNewEnough = Number.parseInt(process.versions.node, 10) >= 24

export const node = isNewEnough ? process.execPath : nodeBinary(24)
export const nodeVersion = isNewEnough ? process.versions.node : NODE_VERSIONS[24]
