// The server of before.js without `cluster`. What the primary did (fork, start another, replace on SIGHUP, end in order) is done
// by the supervisor:
//
//   npx reuseport run -n 4 examples/cluster-migration/after.js 8080
//
// What else a primary does, such as jobs by the clock, becomes a program of its own. Workers that send each other messages
// by the primary need another way, such as Redis.
import process from 'node:process'
import { createApp } from './app.js'

createApp().listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
