// Pure: a sheet for the terminal. Below each line of medians stand the quartiles.
import { cellsOf } from './cells.js'

/** @typedef {import('./cells.js').AnySheet} AnySheet */
/** @typedef {{ bold: (text: string) => string, dim: (text: string) => string }} Style */

/** @param {AnySheet} sheet @param {Style} style */
export function table(sheet, { bold, dim }) {
  const { headings, lines } = cellsOf(sheet)
  const first = Math.max(...lines.map(({ label }) => label.length)) + 2
  const widths = headings.map((heading, index) => {
    const texts = lines.flatMap(({ cells }) => [cells[index]?.median ?? '', cells[index]?.range ?? ''])
    return Math.max(heading.length, ...texts.map(({ length }) => length)) + 2
  })
  /** @type {(label: string, texts: readonly string[]) => string} */
  const line = (label, texts) =>
    `${label.padEnd(first)}${texts.map((text, index) => text.padStart(widths[index] ?? 0)).join('')}`.trimEnd()
  return [
    bold(sheet.title),
    dim(line('', headings)),
    ...lines.flatMap(({ label, cells }) => {
      const ranges = line(
        '',
        cells.map(({ range }) => range),
      )
      const medians = line(
        label,
        cells.map(({ median }) => median),
      )
      return ranges === '' ? [medians] : [medians, dim(ranges)]
    }),
    ...(sheet.note === undefined ? [] : [dim(`  ${sheet.note}`)]),
    ...(sheet.ours === undefined ? [] : [dim(`  ours: ${sheet.ours}`)]),
  ].join('\n')
}
