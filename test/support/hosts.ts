// Two hosts behind a balancer, as network namespaces of this machine: each host has a link to the balancer and to nothing else.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import process from 'node:process'
import { expect } from 'vitest'

/** Why these programs cannot run in namespaces here; undefined where they can. */
export function whyNoHosts(...programs: readonly (readonly [file: string, ...args: string[]])[]): string | undefined {
  if (process.getuid?.() !== 0) return 'links between network namespaces take root'
  for (const [file, ...args] of [['unshare', '-n', 'true'], ['nsenter', '-V'], ['ip', '-V'], ...programs] as const) {
    const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
    if (status !== 0) return `${file} does not run here: ${error?.message ?? stderr.trim()}`
  }
  return undefined
}

/** What runs a command in a namespace: put it before the command. */
export type Place = readonly ['nsenter', '-n', '-t', string]

export interface Hosts extends AsyncDisposable {
  readonly balancer: Place
  /** Their addresses are 10.77.1.2 and 10.77.2.2. */
  readonly hosts: readonly [Place, Place]
}

/** The namespaces exist for as long as processes are in them. */
export async function makeHosts(): Promise<Hosts> {
  // `cat` ends with this process, whichever way that ends: its input is a pipe.
  const holders = [0, 1, 2].map(() => spawn('unshare', ['-n', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] }))
  const own = execFileSync('readlink', ['/proc/self/ns/net'], { encoding: 'utf8' })
  for (const { pid } of holders) {
    const of = () => spawnSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' }).stdout
    await expect.poll(of).not.toBe(own)
  }
  const [balancer, one, two] = holders.map(({ pid }) => ['nsenter', '-n', '-t', String(pid)] as const)
  if (balancer === undefined || one === undefined || two === undefined) throw new Error('no namespaces')
  const ip = ([file, ...args]: Place, ...more: string[]) => execFileSync(file, [...args, 'ip', ...more])
  ip(balancer, 'link', 'set', 'lo', 'up')
  for (const [index, host] of [one, two].entries()) {
    const net = `10.77.${index + 1}`
    ip(balancer, 'link', 'add', `host${index}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host[3])
    ip(balancer, 'address', 'add', `${net}.1/24`, 'dev', `host${index}`)
    ip(balancer, 'link', 'set', `host${index}`, 'up')
    ip(host, 'link', 'set', 'lo', 'up')
    ip(host, 'address', 'add', `${net}.2/24`, 'dev', 'eth0')
    ip(host, 'link', 'set', 'eth0', 'up')
  }
  return {
    balancer,
    hosts: [one, two],
    async [Symbol.asyncDispose]() {
      // Old processes of a balancer that was told to read its configuration anew outlive the one that was started.
      const namespaces = new Set(holders.flatMap(({ pid }) => namespaceOf(String(pid)) ?? []))
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
        if (namespaces.has(namespaceOf(pid) ?? '')) kill(Number(pid))
      await Promise.all(holders.map(end))
    },
  }
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
