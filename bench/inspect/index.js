// How long it takes to see who shares a port.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { end, errorsOf, message, start } from '../common/children.js'
import { node } from '../common/servers-node.js'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

const probe = fileURLToPath(new URL('./probe.js', import.meta.url))
/** A network namespace of its own, with its loopback up: the sockets of this machine do not count. */
const OWN = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
const isAlone = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' }).status === 0

const competitors = {
  group: { label: 'inspectGroup()' },
  groups: { label: 'inspectGroups()' },
  'ls-port': { label: 'reuseport ls <port>' },
  ls: { label: 'reuseport ls' },
  node: { label: "node -e 0 (the command's start)" },
  'ss-port': { label: "ss -lntp 'sport = :<port>'", prepare: versionOfSs },
  ss: { label: 'ss -lntp', prepare: versionOfSs },
  'ss-all': { label: 'ss -antp', prepare: versionOfSs },
}

function versionOfSs() {
  const { stdout, error } = spawnSync('ss', ['-V'], { encoding: 'utf8' })
  if (error) throw error
  return stdout.trim().replace('ss utility, ', '')
}

/** The probe of each part: filling a namespace takes longer than measuring. @type {Map<string, Promise<ChildProcess>>} */
const probes = new Map()

/** @type {(listeners: number, connections: number) => Promise<ChildProcess>} */
async function startProbe(listeners, connections) {
  const [program = '', ...args] = [...(isAlone ? OWN : []), node, probe, JSON.stringify({ listeners, connections })]
  const child = start(program, args, { ipc: true })
  await message(child, { milliseconds: 60_000, errors: errorsOf(child) })
  return child
}

/** @type {(name: string, title: string, listeners: number, connections: number) => import('../common/benchmark.js').Part} */
function part(name, title, listeners, connections) {
  return {
    name,
    title,
    note: `${isAlone ? 'In a network namespace of its own' : 'Beside the sockets of this machine'}, ${processes()} processes on the machine. CPU: user and system`,
    ours: 'ls',
    competitors: Object.keys(competitors),
    columns: [
      { value: 'milliseconds', heading: 'ms', digits: 1 },
      { value: 'cpu', heading: 'CPU ms', digits: 1 },
    ],
    compared: ['milliseconds'],
    extent: (quick) => (quick ? { rounds: 1, seconds: 0.8 } : { rounds: 9, seconds: 4 }),
    async measure({ competitor, quick }) {
      const started = probes.get(name) ?? startProbe(listeners, connections)
      probes.set(name, started)
      const child = await started
      child.send({ how: competitor, times: quick ? 3 : 20 })
      const { error, milliseconds, cpu } = await message(child, { milliseconds: 60_000 })
      if (error !== undefined) throw new Error(error)
      return { milliseconds, cpu }
    },
  }
}

function processes() {
  return spawnSync('sh', ['-c', 'ls -d /proc/[0-9]*'], { encoding: 'utf8' }).stdout.trim().split('\n').length
}

/** @type {import('../common/benchmark.js').Benchmark} */
export const inspect = {
  name: 'inspect',
  help: `Compares how long it takes to see who shares a port: in a program, by the
command, and by ss of iproute2. The command starts Node, which is a line of its
own. What has to look at the descriptors of all processes depends on how many
there are on the machine.`,
  competitors,
  async finish() {
    for (const started of probes.values()) await started.then((child) => end(child)).catch(() => {})
  },
  parts: [
    part('few', 'A group of 4 members, and nothing else', 0, 0),
    part('many', 'Beside it 200 listeners and 2,000 connections', 200, 2000),
  ],
}
