// Pure: writes metrics in the text format of Prometheus, version 0.0.4.

/** @internal */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** @internal */
export interface Sample {
  readonly value: number
  readonly labels?: Readonly<Record<string, string | number>>
  /** Of a summary. */
  readonly part?: 'sum' | 'count'
}

/** @internal A metric with its samples. Those of one metric differ in their labels. */
export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'summary'
  readonly help: string
  readonly samples: readonly Sample[]
}

/** @internal A family without samples is left out: what is not known is not there. */
export function formatFamilies(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const lines = samples.map((sample) => formatSample(name, sample))
      return `# HELP ${name} ${escaped(help, HELP)}\n# TYPE ${name} ${type}\n${lines.join('')}`
    })
    .join('')
}

function formatSample(name: string, { labels = {}, part, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text), LABEL)}"`)
  const of = pairs.length === 0 ? '' : `{${pairs.join(',')}}`
  return `${name}${part === undefined ? '' : `_${part}`}${of} ${formatValue(value)}\n`
}

const HELP = /[\\\n]/g
const LABEL = /[\\\n"]/g

function escaped(text: string, what: RegExp): string {
  return text.replace(what, (found) => (found === '\n' ? '\\n' : `\\${found}`))
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
