// The recipes for Prometheus, Grafana and OpenTelemetry: what they name is there, and the example sends it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import process from 'node:process'
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { familiesOf } from '../../src/supervisor/metrics-families.js'
import { reuseport } from '../support/command.js'
import { exampleFile } from '../support/example.js'
import { installedExample } from '../support/installed-example.js'
import { root } from '../support/snippets.js'

const guide = readFileSync(path.join(root, 'docs/guides/monitoring.md'), 'utf8')
const dashboard = readFileSync(exampleFile('monitoring/dashboard.json'), 'utf8')

const reloads = { done: 0, failed: 0, duration: 0 }
const families = familiesOf({ state: 'new', generation: 1, startedAt: 0, reloads, slots: [], sockets: [] })
const names = families.map(({ name }) => name)

function named(text: string): readonly string[] {
  return [...text.matchAll(/\breuseport_[a-z_]+/g)].map(([name]) => name)
}

test('the guide names every metric, and none that is not there', () => {
  const known = names.filter((name) => name.startsWith('reuseport_'))
  expect([...new Set(named(guide))].toSorted()).toEqual(known.toSorted())
})

test('the dashboard has the panels of the guide', () => {
  const { panels } = JSON.parse(dashboard) as {
    panels: { title: string; fieldConfig: { defaults: { unit: string } }; targets: { expr: string }[] }[]
  }
  const rows = panels.map(
    ({ fieldConfig, targets, title }) => `| ${title} | \`${targets[0]?.expr}\` | \`${fieldConfig.defaults.unit}\` |`,
  )
  expect(rows.length).toBeGreaterThan(5)
  for (const row of rows) expect(guide).toContain(row)
  for (const name of named(dashboard)) expect(names).toContain(name)
})

interface Export {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string
        readonly sum?: { readonly isMonotonic: boolean; readonly dataPoints: readonly Point[] }
        readonly gauge?: { readonly dataPoints: readonly Point[] }
      }[]
    }[]
  }[]
}

interface Point {
  readonly asDouble: number
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
}

test('opentelemetry', { timeout: 600_000 }, async (context) => {
  const folder = await installedExample('opentelemetry', context)
  const received: Export[] = []
  const receiver = http.createServer(async (request, response) => {
    expect(request.url).toBe('/v1/metrics')
    received.push((await json(request)) as Export)
    response.setHeader('Content-Type', 'application/json').end('{}')
  })
  await once(receiver.listen(0, '127.0.0.1'), 'listening')
  const { port } = receiver.address() as AddressInfo
  await using command = reuseport(['run', '-n', '2', '--metrics', '0', exampleFile('http.js'), '0'])
  await command.said(/2 workers on/)
  const [, where] = /serves .* at (\S+)/.exec(command.stderr()) ?? []
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` }
  const sender = spawn(process.execPath, ['export.js', `${where}/metrics`, '0.2'], {
    cwd: folder,
    env,
    stdio: 'inherit',
  })
  try {
    await expect.poll(() => received.length, { timeout: 20_000 }).toBeGreaterThan(1)
    const metrics = received
      .at(-1)
      ?.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
    const of = (name: string) => metrics?.find((one) => one.name === name)
    expect(of('reuseport_worker_up')?.gauge?.dataPoints).toMatchObject(
      ['0', '1'].map((slot) => ({ asDouble: 1, attributes: [{ key: 'slot', value: { stringValue: slot } }] })),
    )
    expect(of('reuseport_worker_accepted_total')?.sum).toMatchObject({
      isMonotonic: true,
      dataPoints: [{ asDouble: 0 }, {}],
    })
    sender.kill('SIGTERM')
    expect(await once(sender, 'exit')).toEqual([0, null])
  } finally {
    sender.kill('SIGKILL')
    receiver.close()
    receiver.closeAllConnections()
  }
})
