// Pure: a result as Markdown tables, and where a document has them: between <!-- bench:NAME --> and <!-- /bench:NAME -->, or
// NAME/PART for one part of it. `<!-- bench:NAME/PART micros,rate -->` has these columns only.
import { cellsOf, withColumns } from './cells.js'

/** @typedef {import('./cells.js').AnySheet} AnySheet */
/** @typedef {{ date: string, quick?: boolean, machine: { cpu: string, cores: number, kernel: string }, versions: Readonly<Record<string, string | undefined>>, command: string, skipped?: Readonly<Record<string, string>>, parts: Readonly<Record<string, AnySheet>> }} AnyResult */

const MARKED = /<!-- bench:([\w-]+)(?:\/([\w-]+))?(?: ([\w,]+))? -->\n([\s\S]*?)<!-- \/bench:\1(?:\/\2)? -->/g
const OPENING = /<!-- bench:([\w-]+)/g

/** @param {string} text */
const escaped = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

/** @param {AnySheet} sheet */
export function sheetMarkdown(sheet) {
  const { headings, lines } = cellsOf(sheet)
  const rows = [
    ['', ...headings],
    ...lines.map(({ label, cells }) => [
      label,
      ...cells.map(({ median, range }) => (range === '' ? median : `${median} (${range})`)),
    ]),
  ].map((row) => row.map(escaped))
  const widths = headings.concat('').map((_, index) => Math.max(3, ...rows.map((row) => row[index]?.length ?? 0)))
  /** @param {readonly string[]} row */
  const line = (row) => `| ${row.map((text, index) => text.padEnd(widths[index] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

/** When, where and with what it was measured. @param {AnyResult} result */
function caption({ date, machine, versions, command, quick }) {
  const known = Object.entries(versions).flatMap(([name, version]) =>
    version === undefined ? [] : [`${name} ${version}`],
  )
  const place = `${machine.cores} x ${machine.cpu}, Linux ${machine.kernel}`
  return `${date.slice(0, 10)}, ${place}; ${known.join(', ')}. \`${command}\`${quick ? ' (a trial run)' : ''}`
}

/** @param {AnyResult} result @param {string} [only] the part @param {readonly string[]} [values] the columns */
export function resultMarkdown(result, only, values) {
  const parts = Object.entries(result.parts).filter(([name]) => only === undefined || name === only)
  if (parts.length === 0) throw new Error(`The result has no part '${only}'`)
  const tables = parts.map(([, sheet]) => {
    const said = [
      sheet.title,
      ...(sheet.note === undefined ? [] : [sheet.note]),
      ...(sheet.ours === undefined ? [] : [`ours: ${sheet.ours}`]),
    ]
    return `${escaped(said.join('; ').replace(/\s+/g, ' '))}:\n\n${sheetMarkdown(withColumns(sheet, values))}\n`
  })
  const skipped = Object.entries(result.skipped ?? {}).map(
    ([name, why]) => `Not measured: ${escaped(name)}, ${escaped(why)}\n`,
  )
  return [...tables, ...skipped, `${caption(result)}\n`].join('\n')
}

/**
 * The document with the tables of today's results. Throws where a marker has no result, or no end.
 *
 * @param {string} text
 * @param {(name: string) => AnyResult | undefined} resultOf
 */
export function withTables(text, resultOf) {
  const found = [...text.matchAll(MARKED)].length
  const opened = [...text.matchAll(OPENING)]
  if (opened.length !== found) throw new Error(`A marker of ${opened.map(([, name]) => name).join(', ')} has no end`)
  return text.replaceAll(MARKED, (_whole, name, part, values) => {
    const result = resultOf(name)
    if (result === undefined) throw new Error(`There is no bench/results/${name}.json for the marker bench:${name}`)
    const mark = part === undefined ? name : `${name}/${part}`
    const columns = values === undefined ? '' : ` ${values}`
    return `<!-- bench:${mark}${columns} -->\n\n${resultMarkdown(result, part, values?.split(','))}\n<!-- /bench:${mark} -->`
  })
}
