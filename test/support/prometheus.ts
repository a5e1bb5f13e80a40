// Reads the text format of Prometheus, strictly: what its documentation allows and this package writes, and nothing else.
// https://prometheus.io/docs/instrumenting/exposition_formats/

export interface Metric {
  readonly type: string
  readonly help: string
  /** By labels, as text: `slot="0"`. The parts of a summary have their name in front: `sum`. */
  readonly samples: ReadonlyMap<string, number>
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"'
const LINE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? ([-+]?(?:\\d[\\d.]*(?:e[-+]?\\d+)?|Inf)|NaN)$`)

/** @throws Error with the line that is wrong. */
export function parseMetrics(text: string): ReadonlyMap<string, Metric> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const metrics = new Map<string, Metric & { readonly samples: Map<string, number> }>()
  let current = ''
  let help: string | undefined
  for (const line of text.slice(0, -1).split('\n')) {
    const [, helped, words = ''] = new RegExp(`^# HELP (${NAME}) (.*)$`, 's').exec(line) ?? []
    const [, typed, type = ''] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|summary)$`).exec(line) ?? []
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? []
    if (helped !== undefined) {
      if (metrics.has(helped)) throw new Error(`twice: ${line}`)
      if (/\\(?![\\n])/.test(words)) throw new Error(`a backslash that escapes nothing: ${line}`)
      current = helped
      help = words
    } else if (typed !== undefined) {
      if (typed !== current || help === undefined) throw new Error(`not after its HELP: ${line}`)
      metrics.set(typed, { type, help, samples: new Map() })
      help = undefined
    } else if (name !== undefined) {
      const metric = metrics.get(current)
      const part = metric?.type === 'summary' ? (/_(sum|count)$/.exec(name)?.[1] ?? '') : ''
      if (metric === undefined || name !== current + (part && `_${part}`))
        throw new Error(`not after its TYPE: ${line}`)
      const key = [part, labels].filter(Boolean).join(' ')
      if (metric.samples.has(key)) throw new Error(`twice: ${line}`)
      metric.samples.set(key, Number(value.replace('Inf', 'Infinity')))
    } else throw new Error(`no line of this format: ${line}`)
  }
  for (const [name, { type, samples }] of metrics) {
    if (samples.size === 0) throw new Error(`${name} has no sample`)
    if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`the name of the ${type} ${name}`)
  }
  return metrics
}
