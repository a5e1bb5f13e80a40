// Sends the metrics of `reuseport run --metrics 9464` by OTLP, where no collector scrapes them. Where to: OTEL_EXPORTER_OTLP_ENDPOINT and
// OTEL_EXPORTER_OTLP_HEADERS. Arguments: the URL of /metrics, and seconds between two exports.
import process from 'node:process'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'

const [url = 'http://127.0.0.1:9464/metrics', seconds = '15'] = process.argv.slice(2)

/** @type {() => Promise<{ name: string, type: string, labels: Record<string, string>, value: number }[]>} */
async function read() {
  const response = await fetch(url, { signal: AbortSignal.timeout(5000) })
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  const types = new Map()
  const samples = []
  for (const line of (await response.text()).split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (typed !== undefined) types.set(typed, type)
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === undefined) continue
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text])
    samples.push({ name, type: types.get(name) ?? 'counter', labels: Object.fromEntries(pairs), value: Number(value) })
  }
  return samples
}

// It exports when it is told to, below.
const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter(),
  exportIntervalMillis: 86_400_000,
})
const provider = new MeterProvider({ readers: [reader] })
const meter = provider.getMeter('reuseport')
const instruments = new Map()
let samples = []

async function send() {
  samples = await read()
  for (const { name, type } of samples) {
    if (instruments.has(name)) continue
    const instrument = type === 'counter' ? meter.createObservableCounter(name) : meter.createObservableGauge(name)
    instrument.addCallback((result) => {
      for (const sample of samples) if (sample.name === name) result.observe(sample.value, sample.labels)
    })
    instruments.set(name, instrument)
  }
  await provider.forceFlush()
}

const work = async () => {
  try {
    await send()
  } catch (error) {
    // The supervisor starts, ends or is replaced.
    console.error(error.message)
  }
}
const timer = setInterval(work, Number(seconds) * 1000)
process.once('SIGTERM', () => {
  clearInterval(timer)
  void provider.shutdown().finally(() => process.exit())
})
await work()
