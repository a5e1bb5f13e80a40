// The primary of a cluster of the benchmark's workers: starts another one where one dies. argv[2]: how many.
import cluster from 'node:cluster'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

cluster.setupPrimary({ exec: fileURLToPath(new URL('./worker.js', import.meta.url)), args: [] })
for (let started = 0; started < Number(process.argv[2]); started++) cluster.fork()
cluster.on('exit', () => cluster.fork())
// A benchmark that has died has closed this pipe; the workers go with their primary.
process.stdin.resume().on('end', () => process.exit())
process.on('SIGTERM', () => process.exit())
