import process from 'node:process'
import { machine, ownVersions } from '../common/surroundings.js'
import { loadTool } from '../load.js'

/** Where and with what it was measured. */
export function surroundings() {
  return {
    date: new Date().toISOString(),
    command: `npm run bench -- tail ${process.argv.slice(3).join(' ')}`.trim(),
    machine: machine(),
    versions: { ...ownVersions(), node: process.versions.node, uv: process.versions.uv, loadTool },
  }
}
