// Pure: one value of each part as bars, the quartiles as a thin line. The drawing follows the reader's light or dark mode.
import { number } from './numbers.js'
import { label, svg } from './svg-text.js'

/** @typedef {import('./benchmark.js').Sheet} Sheet */
/** @typedef {import('./benchmark.js').Row} Row */

const WIDTH = 800
const LEFT = 250
const RIGHT = 660
const STEP = 26

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}.soft{fill:#59636e}
.theirs{fill:#afb8c1}.ours{fill:#0969da}.range{stroke:#1f2328;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft{fill:#9198a1}.theirs{fill:#656c76}.ours{fill:#4493f8}.range{stroke:#f0f6fc}}`

/** @param {number} value */
const tenth = (value) => Math.round(value * 10) / 10

/**
 * @param {{ title: string, note: string }} texts
 * @param {readonly Sheet[]} sheets
 */
export function drawing({ title, note }, sheets) {
  const parts = [label(16, 26, title, 'class="title"')]
  let y = 42
  for (const sheet of sheets) {
    const value = sheet.plot ?? sheet.compared[0] ?? sheet.columns[0]?.value ?? ''
    const column = sheet.columns.find((one) => one.value === value)
    parts.push(label(16, y + 18, `${sheet.title}: ${column?.heading ?? value}`, 'font-weight="600"'))
    y += 28
    const most = Math.max(...sheet.rows.map(({ values }) => values[value]?.high ?? 0))
    for (const row of sheet.rows) {
      parts.push(...bar(row, { value, digits: column?.digits, isOurs: row.label === sheet.ours, y, most }))
      y += STEP
    }
    y += 12
  }
  parts.push(label(16, y + 14, note, 'class="soft"'))
  const height = y + 28
  return svg({ title, style: STYLE, width: WIDTH, height }, parts)
}

/**
 * @param {Row} row
 * @param {{ value: string, digits: number | undefined, isOurs: boolean, y: number, most: number }} place
 */
function bar({ label: name, values, ratios }, { value, digits, isOurs, y, most }) {
  const spread = values[value]
  const text = label(LEFT - 10, y + 14, name, 'text-anchor="end"')
  if (spread === undefined) return [text]
  /** @param {number} value */
  const length = (value) => tenth(most > 0 ? (value / most) * (RIGHT - LEFT) : 0)
  const ratio = ratios[value]
  const said = number(spread.median, digits) + (ratio === undefined ? '' : `  (${ratio.median.toFixed(2)} × ours)`)
  return [
    text,
    `<rect class="${isOurs ? 'ours' : 'theirs'}" x="${LEFT}" y="${y}" width="${length(spread.median)}" height="18" rx="2"/>`,
    `<line class="range" x1="${tenth(LEFT + length(spread.low))}" x2="${tenth(LEFT + length(spread.high))}" y1="${y + 9}" y2="${y + 9}"/>`,
    label(RIGHT + 10, y + 14, said),
  ]
}
