// How a benchmark registers. A folder of bench/ exports a `Benchmark`, and bench/benchmarks.js has a line for it:
//
//   drain: { about: 'failures per million', run: async (args) => measureAndShow((await import('./drain/index.js')).drain, args) },
//
// `npm run bench -- drain` then measures each part: in every round each competitor has its turn, after another one than in
// the round before (plan.js); rows.js makes medians, quartiles and ratios of what `measure` gave; show.js, markdown.js and
// svg.js draw them, run.js saves them. A benchmark only says what there is to compare, and measures one competitor once.
// What several of them need is here: children.js (processes that end with the benchmark), processes.js (processor time of a
// whole tree of processes), servers-node.js (the Node that all servers run on).

/**
 * The median of the rounds and their quartiles.
 *
 * @typedef {{ median: number, low: number, high: number }} Spread
 */

/**
 * A column of a table: the name of a value, its heading with the unit, and how many digits it has after the point (0).
 *
 * @typedef {{ value: string, heading: string, digits?: number }} Column
 */

/**
 * `prepare` is called once before anything is measured. It gives the version of the competitor's package, if it has one, and
 * throws where the competitor cannot be had: the message is the reason, which the result tells.
 *
 * @typedef {object} Competitor
 * @property {string} label
 * @property {() => Promise<string | undefined> | string | undefined} [prepare]
 */

/** @typedef {{ competitor: string, round: number, rounds: number, quick: boolean }} Turn */

/**
 * One thing that is measured, of some competitors. `compared` names the values of which there are ratios, and `plot` the one
 * that is drawn (default: the first compared). `extent`: rounds, and the seconds of a turn for the forecast. `ours`: whom
 * the others are compared to.
 *
 * @typedef {object} Part
 * @property {string} name
 * @property {string} title
 * @property {string} [note]
 * @property {readonly Column[]} columns
 * @property {readonly string[]} compared
 * @property {string} [plot]
 * @property {string} ours
 * @property {readonly string[]} competitors
 * @property {(quick: boolean) => { rounds: number, seconds: number }} extent
 * @property {(turn: Turn) => Promise<Readonly<Record<string, number>>>} measure The values of one turn.
 * @property {(rounds: readonly Readonly<Record<string, number>>[]) => Readonly<Record<string, number>>} [pool] Values of all rounds
 *   together, instead of their medians: such as sums of what is rare.
 */

/**
 * `help`: a paragraph or two. `prepare` and `finish` are called once, before the first turn and after the last one.
 * `versions`: of what else takes part, such as the load generator.
 *
 * @typedef {object} Benchmark
 * @property {string} name
 * @property {string} help
 * @property {Readonly<Record<string, Competitor>>} competitors
 * @property {readonly Part[]} parts
 * @property {() => Promise<void> | void} [prepare]
 * @property {() => Promise<void> | void} [finish]
 * @property {Readonly<Record<string, string | undefined>>} [versions]
 */

/**
 * `ratios`: the competitor's value to ours in the same rounds.
 *
 * @typedef {object} Row
 * @property {string} competitor
 * @property {string} label
 * @property {number} rounds
 * @property {Readonly<Record<string, Spread>>} values
 * @property {Readonly<Record<string, Spread>>} ratios
 */

/**
 * What is kept of a part: enough to draw its table without the benchmark.
 *
 * @typedef {object} Sheet
 * @property {string} title
 * @property {string} [note]
 * @property {string} ours The label of whom the others are compared to.
 * @property {readonly Column[]} columns
 * @property {readonly string[]} compared
 * @property {string} [plot]
 * @property {readonly Row[]} rows
 */

/**
 * What bench/results/NAME.json contains. `skipped`: why a competitor was left out, by its name.
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {string} date
 * @property {string} command
 * @property {{ cpu: string, cores: number, kernel: string, load: number }} machine
 * @property {Readonly<Record<string, string | undefined>>} versions
 * @property {number} seconds
 * @property {boolean} quick
 * @property {Readonly<Record<string, string>>} skipped
 * @property {readonly string[]} errors
 * @property {Readonly<Record<string, Sheet>>} parts
 */

export {}
