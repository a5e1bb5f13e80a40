// The examples for Docker and Kubernetes as far as they go without either: the files, and the command as process 1.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { cachedPackage } from '../../scripts/cached-package.mjs'
import { noOtherUser } from '../support/another-user.js'
import { instructionsOf } from '../support/dockerfile.js'
import { exampleFile, runExample } from '../support/example.js'
import { httpClients } from '../support/example-clients.js'
import { freePort } from '../support/listeners.js'
import { start } from '../support/processes.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const instructions = instructionsOf(readFileSync(exampleFile('docker/Dockerfile'), 'utf8'))
const all = (name: string) => instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest)
const imageCommand = JSON.parse(all('CMD')[0] ?? '') as string[]
/** How long the program may take for its own end, after the drain: see docs/supervisor.md. */
const OWN_END = 5 // s
/** That of `node` in the image. */
const USER = ['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups']

const PROBES = ['startupProbe', 'readinessProbe', 'livenessProbe'] as const

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string }
}

interface Container {
  readonly args: readonly string[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
  readonly resources: { readonly limits: object; readonly requests: object }
  readonly startupProbe: Probe
  readonly readinessProbe: Probe
  readonly livenessProbe: Probe
}

interface Manifest {
  readonly kind: string
  readonly spec: {
    readonly selector: { readonly [key: string]: unknown }
    readonly ports: readonly { readonly targetPort: string }[]
    readonly template: {
      readonly metadata: { readonly labels: { readonly [key: string]: string } }
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly [Container] }
    }
  }
}

interface Yaml {
  parseAllDocuments(text: string): { errors: unknown[]; warnings: unknown[]; toJS(): Manifest }[]
}

function manifestsOf(name: string, { skip }: TestContext): Manifest[] {
  let modules = ''
  try {
    modules = cachedPackage('yaml', '2.9.1')
  } catch (error) {
    skip(`the registry does not give the parser: ${(error as Error).message}`)
  }
  const { parseAllDocuments } = createRequire(`${modules}/`)('yaml') as Yaml
  return parseAllDocuments(readFileSync(exampleFile(name), 'utf8')).map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([])
    return document.toJS()
  })
}

function secondsAfter(args: readonly string[], option: string): number {
  const value = args[args.indexOf(option) + 1] ?? ''
  expect(value, option).toMatch(/^\d+s$/)
  return Number.parseInt(value, 10)
}

describe('docker', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-example-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  // What COPY and RUN bring into the image. The package itself comes from here: it may be newer than the registry's.
  beforeAll(() => {
    chmodSync(folder, 0o755) // for the user of the image
    for (const copied of all('COPY')) {
      const files = copied.split(' ')
      const target = path.join(folder, files.pop() ?? '')
      for (const file of files) cpSync(exampleFile(`docker/${file}`), path.join(target, file))
    }
    mkdirSync(path.join(folder, 'node_modules'))
    symlinkSync(root, path.join(folder, 'node_modules/reuseport'))
  })

  test('its instructions fit together', () => {
    expect(all('RUN')).toEqual(['npm install --omit=dev --ignore-scripts'])
    const { dependencies } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
    expect(dependencies).toEqual({ reuseport: `^${version}` })
    expect(all('USER')).toEqual(['node'])
    expect(all('EXPOSE')).toEqual(['8080'])
    const stop = /docker stop --time (\d+)/.exec(readFileSync(exampleFile('docker/Dockerfile'), 'utf8'))?.[1]
    expect(Number(stop)).toBeGreaterThan(secondsAfter(imageCommand, '--drain-timeout') + OWN_END)
  })

  test('it answers the probes of Kubernetes', { timeout: 60_000 }, async (context) => {
    const [container] = deploymentOf(context).containers
    const port = await freePort()
    await using program = start('../../examples/docker/server.js', [], { env: { ...process.env, PORT: String(port) } })
    for (const probe of PROBES) {
      const { path, port: name } = container[probe].httpGet
      expect(name).toBe('http')
      await expect.poll(() => statusOf(port, path), { timeout: 20_000 }).toBe(200)
    }
    program.child.kill('SIGTERM')
    await program.exited
  })

  for (const of of ['docker', 'kubernetes'] as const) {
    test(`the command of ${of} as process 1`, { timeout: 120_000 }, async (context) => {
      if (noOtherUser !== undefined) context.skip(noOtherUser)
      const [node, ...args] = of === 'docker' ? imageCommand : deploymentOf(context).containers[0].args
      expect(node).toBe('node')
      const port = await freePort()
      await runExample({
        parent: ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', ...USER],
        args,
        cwd: folder,
        // Another user may not write where coverage is collected.
        env: { PORT: String(port), NODE_OPTIONS: undefined, NODE_V8_COVERAGE: undefined },
        ready: /(\d+) workers? on /,
        reloaded: /generation 2 serves/,
        clients: httpClients(port),
      })
    })
  }
})

describe('kubernetes', () => {
  test('a pod has the time that its end takes', (context) => {
    const { terminationGracePeriodSeconds, containers } = deploymentOf(context)
    const [{ args, lifecycle }] = containers
    const needed = lifecycle.preStop.sleep.seconds + secondsAfter(args, '--drain-timeout') + OWN_END
    expect(terminationGracePeriodSeconds).toBeGreaterThan(needed)
  })

  test('the manifests fit together, and the image', (context) => {
    const manifests = [
      ...manifestsOf('kubernetes/deployment.yaml', context),
      ...manifestsOf('kubernetes/service.yaml', context),
    ]
    expect(manifests.map(({ kind }) => kind)).toEqual(['Deployment', 'Service', 'PodDisruptionBudget'])
    const [deployment, service, budget] = manifests as [Manifest, Manifest, Manifest]
    const { metadata, spec } = deployment.spec.template
    const [container] = spec.containers
    expect(deployment.spec.selector).toEqual({ matchLabels: metadata.labels })
    expect(service.spec.selector).toEqual(metadata.labels)
    expect(budget.spec.selector).toEqual({ matchLabels: metadata.labels })
    expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual(container.ports.map(({ name }) => name))
    expect(container.ports.map(({ containerPort }) => String(containerPort))).toEqual(all('EXPOSE'))
    expect(container.args).toEqual(expect.arrayContaining(imageCommand))
    // Guaranteed: the quota is what the workers are counted by.
    expect(container.resources.requests).toEqual(container.resources.limits)
  })
})

function deploymentOf(context: TestContext): Manifest['spec']['template']['spec'] {
  const [deployment] = manifestsOf('kubernetes/deployment.yaml', context)
  if (deployment === undefined) throw new Error('there is no deployment')
  return deployment.spec.template.spec
}

function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      .on('error', () => resolve(undefined))
  })
}
