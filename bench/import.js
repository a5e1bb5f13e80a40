// Measures the time and memory of one import, in a process of its own. argv[2]: the module. argv[3]: 'use' also calls
// the package once; 'http' imports node:http before, as a program with a server has. Prints JSON.
import process from 'node:process'

const [, , what = '', how] = process.argv
if (how === 'http') await import('node:http')
const before = process.memoryUsage().rss
const begun = performance.now()
const module = await import(what)
if (how === 'use') module.capabilities()
const milliseconds = performance.now() - begun
console.log(JSON.stringify({ milliseconds, kilobytes: (process.memoryUsage().rss - before) / 1024 }))
