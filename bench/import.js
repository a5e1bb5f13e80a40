// What importing costs: time and memory of an import, in a process of its own. argv[2]: what to import; argv[3]: 'use' to
// use the package once as well. Prints JSON.
import process from 'node:process'

const [, , what = '', use] = process.argv
const before = process.memoryUsage().rss
const begun = performance.now()
const module = await import(what)
if (use === 'use') module.capabilities()
const milliseconds = performance.now() - begun
console.log(JSON.stringify({ milliseconds, kilobytes: (process.memoryUsage().rss - before) / 1024 }))
