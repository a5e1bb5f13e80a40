// Measures the time and memory of one import, in a process of its own. argv[2]: the module. argv[3]: 'use' also calls
// the package once. Prints JSON.
import process from 'node:process'

const [, , what = '', use] = process.argv
const before = process.memoryUsage().rss
const begun = performance.now()
const module = await import(what)
if (use === 'use') module.capabilities()
const milliseconds = performance.now() - begun
console.log(JSON.stringify({ milliseconds, kilobytes: (process.memoryUsage().rss - before) / 1024 }))
