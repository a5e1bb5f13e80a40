// Tables for a terminal: a narrow one loses the columns of the lowest rank.
import { cut, paint, printable, type Screen } from './terminal.js'

export interface Column<Row> {
  readonly title: string
  /** Numbers stand on the right. */
  readonly right?: boolean
  /** A narrow terminal loses the columns of the lowest rank first. A column without a rank always stays. */
  readonly rank?: number
  readonly cell: (row: Row) => string
}

/** The column at the end, which has the room that is left. */
export interface LastColumn<Row> {
  readonly title: string
  /** Characters that it needs: columns with a rank give way to it. */
  readonly least: number
  /** @param room In characters. */
  readonly cell: (row: Row, room: number) => string
}

const GAP = '  '

/** A line for the titles and one for each row, indented. */
export function tableLines<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  screen: Screen,
  last?: LastColumn<Row>,
): readonly string[] {
  const width = screen.columns ?? Number.POSITIVE_INFINITY
  const columns = fitting(
    all.map((column) => {
      const cells = rows.map((row) => printable(column.cell(row)))
      return { ...column, cells, width: Math.max(column.title.length, ...cells.map(({ length }) => length)) }
    }),
    width - (last === undefined ? 0 : GAP.length + last.least),
  )
  const line = (textOf: (column: (typeof columns)[number]) => string, end: (room: number) => string): string => {
    const cells = columns.map((one) => (one.right ? textOf(one).padStart(one.width) : textOf(one).padEnd(one.width)))
    const before = `${GAP}${cells.join(GAP)}${last === undefined ? '' : GAP}`
    return cut((before + end(width - before.length)).trimEnd(), width)
  }
  const titles = line(
    ({ title }) => title,
    () => last?.title ?? '',
  )
  const lineOf = (row: Row, index: number): string =>
    line(
      (one) => one.cells[index] ?? '',
      (room) => last?.cell(row, room) ?? '',
    )
  return [paint(screen, 'dim', titles), ...rows.map(lineOf)]
}

function fitting<One extends { readonly width: number; readonly rank?: number }>(
  columns: readonly One[],
  width: number,
): readonly One[] {
  const needed = columns.reduce((sum, one) => sum + GAP.length + one.width, 0)
  const ranks = columns.flatMap(({ rank }) => rank ?? [])
  if (needed <= width || ranks.length === 0) return columns
  const lowest = Math.min(...ranks)
  return fitting(
    columns.filter(({ rank }) => rank !== lowest),
    width,
  )
}
