// Pure: rows as text, at most 80 columns wide. Below each line of medians stand the quartiles.

/** @typedef {import('./sheet.js').Row} Row */
/** @typedef {import('./sheet.js').Spread} Spread */
/** @typedef {import('./plan.js').Column} Column */
/** @typedef {{ bold: (text: string) => string, dim: (text: string) => string }} Style */

const WIDTH = 80
const SETTING = 7

/**
 * @param {{ title: string, columns: readonly Column[], compared: readonly string[], note?: string | undefined }} part
 * @param {readonly Row[]} rows
 * @param {Readonly<Record<string, string>>} ways The names of the ways.
 * @param {Style} style
 */
export function table({ title, columns, compared, note }, rows, ways, { bold, dim }) {
  const ratios = compared.filter((name) => rows.some((row) => row.ratios[name] !== undefined))
  const head = 17 + (rows.some(({ setting }) => setting !== undefined) ? SETTING : 0)
  const width = Math.min(11, Math.floor((WIDTH - head) / (columns.length + ratios.length)))
  /** @param {readonly string[]} texts */
  const line = (texts) => texts.map((text) => text.padStart(width)).join('')
  const headings = ratios.map((name) => `:${columns.find(({ value }) => value === name)?.heading ?? name}`)
  const lines = [
    bold(title),
    dim(`${'workers'.padEnd(head)}${line([...columns.map(({ heading }) => heading), ...headings])}`),
  ]
  for (const row of rows) {
    const cells = [
      ...columns.map(({ value, digits = 0 }) => ({ spread: row.values[value], digits })),
      ...ratios.map((name) => ({ spread: row.ratios[name], digits: 2 })),
    ]
    const medians = cells.map(({ spread, digits }) => (spread ? number(spread.median, digits) : ''))
    lines.push(`${label(row, ways).padEnd(head)}${line(medians)}`.trimEnd())
    const ranges = row.rounds > 1 ? cells.map(({ spread, digits }) => range(spread, digits, width)) : []
    lines.push(dim(`${roundsText(row).padEnd(head)}${line(ranges)}`.trimEnd()))
  }
  const said = [...(note === undefined ? [] : [note]), ...comparison(headings), ...generator(rows)]
  return [...lines, ...said.map((text) => dim(`  ${text}`))].join('\n')
}

/** @param {readonly string[]} headings */
function comparison(headings) {
  return headings.length === 0 ? [] : [`${headings.join(', ')}: that of joins to that of this way, in the same rounds`]
}

/** @param {readonly Row[]} rows */
function generator(rows) {
  const late = rows.flatMap(({ lateness }) => (lateness === undefined ? [] : [lateness.low, lateness.high]))
  const cpu = rows.flatMap(({ generator }) => (generator === undefined ? [] : [generator.median]))
  if (late.length === 0) return []
  const times = `${Math.min(...late).toFixed(1)} to ${Math.max(...late).toFixed(1)} ms`
  return [`the load generator was late by ${times} (p99), and took up to ${Math.max(...cpu).toFixed(2)} CPU`]
}

/** @param {Row} row @param {Readonly<Record<string, string>>} ways */
function label({ workers, way, setting }, ways) {
  return [`${workers}`.padStart(2), (ways[way] ?? way).padEnd(14), ...(setting === undefined ? [] : [setting])].join(
    ' ',
  )
}

/** @param {Row} row */
function roundsText({ late, rounds, isTimely }) {
  if (!isTimely) return '   (all late)'
  if (late > 0) return `   (${late} late)`
  return rounds === 1 ? '   (one round)' : ''
}

/** @param {number} value @param {number} digits */
function number(value, digits) {
  if (!Number.isFinite(value)) return '-'
  return value.toLocaleString('en-US', {
    // Four digits tell enough.
    maximumFractionDigits: value >= 1000 ? 0 : digits,
    minimumFractionDigits: value >= 1000 ? 0 : digits,
  })
}

/** The quartiles, shorter where they would not fit. @param {Spread | undefined} spread @param {number} digits @param {number} width */
function range(spread, digits, width) {
  if (spread === undefined || !Number.isFinite(spread.low) || !Number.isFinite(spread.high)) return ''
  const { low, high } = spread
  const texts = [digits, 0].map((count) => `${low.toFixed(count)}-${high.toFixed(count)}`)
  return texts.find((text) => text.length < width) ?? `${thousands(low)}-${thousands(high)}`
}

/** @param {number} value */
function thousands(value) {
  return value < 1000 ? value.toFixed(0) : `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)}k`
}
