// Pure: latency percentiles of each way as a drawing, on a logarithmic axis. It follows the reader's light or dark mode.
import { label, svg } from '../common/svg-text.js'

/** @typedef {import('./sheet.js').Row} Row */

const DOTS = /** @type {const} */ ({ p50: 'p50', p95: 'p95', p99: 'p99', p999: 'p99.9' })
const WIDTH = 800
const LEFT = 130
const RIGHT = 570
const STEP = 34
const TOP = 78

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}
.soft{fill:#59636e}.grid{stroke:#d1d9e0}.whole{stroke:#8c959f;stroke-width:2}.range{stroke-width:5;stroke-linecap:round;opacity:.35}
.p50{fill:#1a7f37;stroke:#1a7f37}.p95{fill:#0969da;stroke:#0969da}.p99{fill:#9a6700;stroke:#9a6700}.p999{fill:#cf222e;stroke:#cf222e}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft{fill:#9198a1}.grid{stroke:#3d444d}.whole{stroke:#656c76}
.p50{fill:#3fb950;stroke:#3fb950}.p95{fill:#4493f8;stroke:#4493f8}.p99{fill:#d29922;stroke:#d29922}.p999{fill:#f85149;stroke:#f85149}}`

/**
 * @param {{ title: string, note: string }} texts
 * @param {readonly Row[]} rows With the values p50, p95, p99 and p999, in ms.
 * @param {Readonly<Record<string, string>>} ways The names of the ways.
 */
export function drawing({ title, note }, rows, ways) {
  const ends = rows.flatMap(({ values }) => [values['p50']?.low ?? 1, values['p999']?.high ?? 1])
  const low = Math.floor(Math.log10(Math.max(0.1, Math.min(...ends))))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...ends))))
  /** @param {number} value */
  const x = (value) => {
    const share = (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)
    return Math.round(10 * (LEFT + share * (RIGHT - LEFT))) / 10
  }
  const counts = [...new Set(rows.map(({ workers }) => workers))]
  const bottom = TOP + (rows.length + counts.length) * STEP
  const parts = [label(16, 26, title, 'class="title"'), ...legend()]
  for (let power = low; power <= high; power++) {
    const at = x(10 ** power)
    parts.push(`<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom}"/>`)
    parts.push(label(at, bottom + 18, `${10 ** power} ms`, 'class="soft" text-anchor="middle"'))
  }
  let y = TOP
  for (const count of counts) {
    y += STEP
    parts.push(label(16, y - 8, `${count} workers`, 'font-weight="600"'))
    for (const row of rows.filter(({ workers }) => workers === count)) {
      parts.push(...rowOf(row, ways[row.way] ?? row.way, y, x))
      y += STEP
    }
  }
  parts.push(label(16, bottom + 44, note, 'class="soft"'))
  const height = bottom + 60
  return svg({ title, style: STYLE, width: WIDTH, height }, parts)
}

function legend() {
  return Object.entries(DOTS).flatMap(([name, text], index) => {
    const x = LEFT + index * 80
    return [`<circle class="${name}" cx="${x}" cy="48" r="5"/>`, label(x + 10, 53, text)]
  })
}

/** @type {(row: Row, name: string, y: number, x: (value: number) => number) => string[]} */
function rowOf({ values }, name, y, x) {
  const middle = y + 8
  const spreads = Object.keys(DOTS).flatMap((key) => {
    const spread = values[key]
    return spread === undefined ? [] : [{ key, ...spread }]
  })
  const medians = spreads.map(({ median }) => x(median))
  return [
    label(28, middle + 5, name),
    `<line class="whole" x1="${Math.min(...medians)}" x2="${Math.max(...medians)}" y1="${middle}" y2="${middle}"/>`,
    ...spreads.flatMap(({ key, median, low, high }) => [
      `<line class="range ${key}" x1="${x(low)}" x2="${x(high)}" y1="${middle}" y2="${middle}"/>`,
      `<circle class="${key}" cx="${x(median)}" cy="${middle}" r="5"/>`,
    ]),
    label(RIGHT + 20, middle + 5, spreads.map(({ median }) => short(median)).join(' / ')),
  ]
}

/** @param {number} value */
function short(value) {
  return value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')
}
