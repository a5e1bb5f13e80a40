// docs/guides/beyond-one-machine.md, with the files of examples/beyond-one-machine: two hosts behind a balancer, and one of them leaves.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { type Ran, reuseport } from '../support/command.js'
import { end, type Hosts, makeHosts, whyNoHosts } from '../support/hosts.js'
import { start } from '../support/processes.js'

const examples = fileURLToPath(new URL('../../examples/beyond-one-machine', import.meta.url))
const WAITS = { timeout: 20_000, interval: 50 }

/** A balancer that runs; what an administrator does with it to take a host out, and to bring it back. */
interface Balancer extends AsyncDisposable {
  out(host: 0 | 1): Promise<void>
  back(host: 0 | 1): Promise<void>
}

interface Site {
  readonly folder: string
  readonly places: Hosts
  /** The file that the program of a host looks for. */
  leaving(host: 0 | 1): string
}

const ADDRESSES = ['10.77.1.2', '10.77.2.2'] as const
const BALANCERS = { haproxy, nginx }
const WHY_NOT = {
  haproxy: whyNoHosts(['haproxy', '-v']),
  nginx: whyNoHosts(['nginx', '-v'], ['test', '-e', '/etc/nginx/modules-enabled/50-mod-stream.conf']),
}

async function haproxy({ folder, places, leaving }: Site): Promise<Balancer> {
  const file = path.join(folder, 'haproxy.cfg')
  writeFileSync(file, readFileSync(path.join(examples, 'haproxy.cfg'), 'utf8').replace('/run/haproxy', folder))
  const [nsenter, ...args] = places.balancer
  const child = spawn(nsenter, [...args, 'haproxy', '-db', '-q', '-f', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const states = async (): Promise<readonly string[]> => {
    const admin = net.connect(path.join(folder, 'admin.sock')).end('show stat\n')
    const lines = (await text(admin).catch(() => '')).split('\n').map((line) => line.split(','))
    return lines.filter(([, name]) => name?.startsWith('host-')).map((line) => line[17] ?? '')
  }
  const becomes = (host: 0 | 1, state: string) => expect.poll(async () => (await states())[host], WAITS).toBe(state)
  await becomes(0, 'UP')
  await becomes(1, 'UP')
  return {
    async out(host) {
      writeFileSync(leaving(host), '')
      await becomes(host, 'DOWN')
    },
    async back(host) {
      rmSync(leaving(host))
      await becomes(host, 'UP')
    },
    [Symbol.asyncDispose]: () => end(child),
  }
}

async function nginx({ folder, places }: Site): Promise<Balancer> {
  const hosts = path.join(folder, 'hosts.conf')
  for (const name of ['nginx.conf', 'hosts.conf']) cpSync(path.join(examples, name), path.join(folder, name))
  const [nsenter, ...before] = places.balancer
  const args = [...before, 'nginx', '-e', path.join(folder, 'error.log'), '-c', path.join(folder, 'nginx.conf')]
  const settings = `pid ${path.join(folder, 'pid')};`
  const child = spawn(nsenter, [...args, '-g', `daemon off; ${settings}`], { stdio: ['ignore', 'ignore', 'inherit'] })
  const change = (edit: (lines: string[]) => void): void => {
    const lines = readFileSync(hosts, 'utf8').split('\n')
    edit(lines)
    writeFileSync(hosts, lines.join('\n'))
    execFileSync(nsenter, [...args, '-g', settings, '-s', 'reload'])
  }
  return {
    async out(host) {
      change((lines) => lines.splice(host + 1, 1, (lines[host + 1] ?? '').replace(';', ' down;')))
    },
    async back(host) {
      change((lines) => lines.splice(host + 1, 1, (lines[host + 1] ?? '').replace(' down;', ';')))
    },
    [Symbol.asyncDispose]: () => end(child),
  }
}

async function startHost({ places, leaving }: Site, host: 0 | 1): Promise<Ran> {
  const server = path.join(examples, 'server.js')
  const command = reuseport(['run', '-n', '2', server, '8080', leaving(host)], { before: places.hosts[host] })
  try {
    await command.said(/2 workers on/)
  } catch (error) {
    await command[Symbol.asyncDispose]()
    throw error
  }
  return command
}

interface Told {
  readonly answers: Readonly<Record<string, number>>
  readonly failures: readonly string[]
}

describe.each(['haproxy', 'nginx'] as const)('%s', (name) => {
  const whyNot = WHY_NOT[name]
  const suffix = whyNot === undefined ? '' : ` (skipped: ${whyNot})`

  test.skipIf(whyNot)(
    `a host leaves and comes back, and no request fails; one that is killed fails some${suffix}`,
    async () => {
      await using places = await makeHosts()
      const folder = mkdtempSync(path.join(tmpdir(), 'reuseport-hosts-'))
      const site: Site = { folder, places, leaving: (host) => path.join(folder, `leaving-${host}`) }
      const commands: Ran[] = []
      try {
        for (const host of [0, 1] as const) commands.push(await startHost(site, host))
        await using balancer = await BALANCERS[name](site)
        const [execPath, ...before] = places.balancer
        await using client = start('balanced-client.mjs', ['8080'], {
          execPath,
          execArgv: [...before, process.execPath],
        })
        const told = async (): Promise<Told> => {
          client.send({})
          return client.message<Told>()
        }
        /** Waits until each of these hosts has answered 20 more. */
        const serve = async (...hosts: readonly (0 | 1)[]): Promise<void> => {
          const counts = async () => {
            const { answers } = await told()
            return hosts.map((host) => answers[ADDRESSES[host]] ?? 0)
          }
          const first = await counts()
          await expect
            .poll(async () => (await counts()).every((count, index) => count >= (first[index] ?? 0) + 20), WAITS)
            .toBe(true)
        }
        await serve(0, 1)
        await balancer.out(0)
        commands[0]?.child.kill('SIGTERM')
        expect(await commands[0]?.exited).toMatchObject({ code: 0 })
        await serve(1)
        commands[0] = await startHost(site, 0)
        await balancer.back(0)
        await serve(0, 1)
        expect((await told()).failures).toEqual([])
        killAll(commands[1] as Ran)
        await serve(0)
        expect((await told()).failures.length).toBeGreaterThan(0)
      } finally {
        for (const command of commands) await command[Symbol.asyncDispose]()
        rmSync(folder, { recursive: true })
      }
    },
    120_000,
  )
})

/** Ends a supervisor and its workers at once. */
function killAll(command: Ran): void {
  const { pid } = command.child
  if (pid === undefined) throw new Error('the supervisor does not run')
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? []
  expect(children).toHaveLength(2)
  for (const each of [pid, ...children.map(Number)]) process.kill(each, 'SIGKILL')
}
