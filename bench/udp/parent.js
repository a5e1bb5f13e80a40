// Starts echo services on one port, tells when all of them listen, and ends with the benchmark. argv[2]: how, argv[3]: how
// many, argv[4]: the port.
import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const [, , how = '', count = '', port = ''] = process.argv
const member = fileURLToPath(new URL('./member.js', import.meta.url))
cluster.setupPrimary({ exec: member, args: [how, port] })
const children = Array.from({ length: Number(count) }, () =>
  how === 'cluster' ? cluster.fork() : fork(member, [how, port]),
)
await Promise.all(children.map((child) => once(child, 'message')))
process.send?.('ready')
process.on('disconnect', () => process.exit())
