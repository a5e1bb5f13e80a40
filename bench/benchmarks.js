// The benchmarks, in the order of the help text. bench/common/benchmark.js says how one registers.

/** @typedef {{ about: string, run: (args: readonly string[]) => Promise<void> }} Registered */
/** @typedef {import('./common/benchmark.js').Benchmark} Benchmark */

/** A benchmark of the common form; it is loaded when it is asked for. @param {string} about @param {() => Promise<Benchmark>} load @returns {Registered} */
function common(about, load) {
  return {
    about,
    async run(args) {
      const { measureAndShow } = await import('./common/run.js')
      await measureAndShow(await load(), args)
    },
  }
}

/** @type {Readonly<Record<string, Registered>>} */
export const BENCHMARKS = {
  accept: common(
    'processor time and rate of connections and requests',
    async () => (await import('./accept/index.js')).accept,
  ),
  drain: common(
    'failures where members of a group leave one after the other',
    async () => (await import('./drain/index.js')).drain,
  ),
  reload: common(
    'time and processor time of a reload, and what clients notice',
    async () => (await import('./reload/index.js')).reload,
  ),
  crash: common(
    'how soon a killed worker has a successor, and what clients notice',
    async () => (await import('./crash/index.js')).crash,
  ),
  udp: common('processor time of datagrams', async () => (await import('./udp/index.js')).udp),
  inspect: common(
    'how long it takes to see who shares a port',
    async () => (await import('./inspect/index.js')).inspect,
  ),
  memory: common(
    'memory of the supervisor while nothing happens',
    async () => (await import('./memory/index.js')).memory,
  ),
  tail: {
    about: 'how long connections wait while a worker is busy, stopped or killed',
    async run() {
      await import('./tail/index.js')
    },
  },
  tables: {
    about: 'no benchmark: writes the tables of the documents from bench/results',
    async run() {
      const { writeTables } = await import('./tables.js')
      writeTables()
    },
  },
}
