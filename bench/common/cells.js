// Pure: a sheet as rows of text, for the terminal and for Markdown. Sheets of other benchmarks, such as tail, name no columns
// and have `way`, `workers` and `setting` instead of a label: their values are the columns.
import { number, range } from './numbers.js'

/** @typedef {import('./benchmark.js').Spread} Spread */
/** @typedef {import('./benchmark.js').Column} Column */
/** @typedef {{ label?: string, way?: string, workers?: number, setting?: string, values: Readonly<Record<string, Spread>>, ratios: Readonly<Record<string, Spread>> }} AnyRow */
/** @typedef {{ title: string, note?: string, ours?: string, columns?: readonly Column[], compared?: readonly string[], rows: readonly AnyRow[] }} AnySheet */
/** @typedef {{ median: string, range: string }} Cell */

/** @param {AnySheet} sheet @returns {readonly Column[]} */
function columnsOf({ columns, rows }) {
  return (
    columns ??
    [...new Set(rows.flatMap(({ values }) => Object.keys(values)))].map((value) => ({
      value,
      heading: value,
      digits: 1,
    }))
  )
}

/**
 * The same with these columns only. Throws where there is no such column.
 *
 * @param {AnySheet} sheet
 * @param {readonly string[]} [values]
 * @returns {AnySheet}
 */
export function withColumns(sheet, values) {
  if (values === undefined) return sheet
  const all = columnsOf(sheet)
  const columns = values.map((value) => {
    const column = all.find((one) => one.value === value)
    if (column === undefined) throw new Error(`'${sheet.title}' has no column '${value}'`)
    return column
  })
  return { ...sheet, columns, compared: (sheet.compared ?? []).filter((name) => values.includes(name)) }
}

/** @param {AnyRow} row */
function labelOf({ label, way, workers, setting }) {
  const whole = [label ?? way ?? '', ...(setting === undefined ? [] : [setting])]
  return [...whole, ...(workers === undefined ? [] : [`${workers} workers`])].join(', ')
}

/** @type {(spread: Spread | undefined, digits: number | undefined) => Cell} */
function cellOf(spread, digits) {
  if (spread === undefined) return { median: '', range: '' }
  return {
    median: number(spread.median, digits),
    range: spread.low === spread.high ? '' : range(spread, digits),
  }
}

/**
 * @param {AnySheet} sheet
 * @returns {{ headings: string[], lines: { label: string, cells: Cell[] }[] }}
 */
export function cellsOf(sheet) {
  const columns = columnsOf(sheet)
  const compared = (sheet.compared ?? []).filter((name) => sheet.rows.some(({ ratios }) => name in ratios))
  const ratios = compared.map((name) => ({
    name,
    heading: columns.find(({ value }) => value === name)?.heading ?? name,
  }))
  return {
    headings: [...columns.map(({ heading }) => heading), ...ratios.map(({ heading }) => `${heading}, to ours`)],
    lines: sheet.rows.map((row) => ({
      label: labelOf(row),
      cells: [
        ...columns.map(({ value, digits }) => cellOf(row.values[value], digits)),
        ...ratios.map(({ name }) => cellOf(row.ratios[name], 2)),
      ],
    })),
  }
}
