// Starts processes on one port, and ends with the benchmark. argv[2]: 'cluster' (the policy is in the environment), or how each
// member shares the port; argv[3]: how many; argv[4]: the port.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const [, , how = '', count = '', port = ''] = process.argv

/** @param {string} name */
const file = (name) => fileURLToPath(new URL(name, import.meta.url))

cluster.setupPrimary({ exec: file('./app.js'), args: [] })
for (let started = 0; started < Number(count); started++) {
  if (how === 'cluster') cluster.fork({ PORT: port })
  else fork(file('./member.js'), [how, port])
}
process.stdin.resume().on('end', () => process.exit())
process.on('SIGTERM', () => process.exit())
