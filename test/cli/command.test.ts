// The command as it is run.
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { openReusePortSocket } from '../../src/index.js'
import { whyNoNamespace } from '../support/namespace.js'
import { NODE_SHARES } from '../support/run.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const terminal = fileURLToPath(new URL('../fixtures/terminal.py', import.meta.url))

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], flags: readonly string[] = []): Ended {
  const env = { ...process.env, FORCE_COLOR: undefined }
  return spawnSync(process.execPath, ['--no-warnings', ...flags, main, ...args], { encoding: 'utf8', env })
}

function onTerminal(columns: number, frames: number, args: readonly string[], env: object = {}, rows = 30) {
  const command = [process.execPath, main, ...args]
  const options = { encoding: 'utf8', env: { ...process.env, TERM: 'xterm', NO_COLOR: undefined, ...env } } as const
  const printed = execFileSync('python3', [terminal, ...[columns, rows, frames].map(String), ...command], options)
  return JSON.parse(printed) as { written: string; code: number; same: boolean }
}

const COMMANDS = ['run', 'status', 'reload', 'scale', 'stop', 'doctor', 'ls', 'build', 'systemd', 'completion', 'help']

test.each([[['--help']], [['-h']], [['help']], [['ls', '-h']], ...COMMANDS.map((command) => [[command, '--help']])])(
  '%j prints help',
  (args) => {
    const { status, stdout, stderr } = run(args)
    expect(stdout).toMatch(/^Usage: reuseport /)
    expect(stdout).toContain('Exit codes: 0 ')
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  },
)

test('--version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  for (const flag of ['--version', '-V']) expect(run([flag]).stdout).toBe(`${version}\n`)
})

test.each([
  [[], 'A command is missing'],
  [['docter'], 'There is no command docter. Did you mean doctor?'],
  [['--versoin'], 'There is no option --versoin. Did you mean --version?'],
  [['lss'], 'There is no command lss. Did you mean ls?'],
  [['doctor', '--jsn'], 'There is no option --jsn. Did you mean --json?'],
  [['doctor', 'now'], "doctor takes ports only with --fix, and got 'now'"],
  [['build', 'now'], "build takes options only, and got 'now'"],
  [['build', '--foce'], 'There is no option --foce. Did you mean --force?'],
  [['ls', '99999'], "'99999' is not a port: a port is a number from 1 to 65535"],
  [['ls', '--upd'], 'There is no option --upd. Did you mean --udp?'],
  [['start', 'server.js'], 'There is no command start: reuseport run server.js starts a program'],
  [['-v'], 'There is no option -v: reuseport --version prints the version'],
  [['./server.js'], 'There is no command ./server.js: reuseport run ./server.js runs that program'],
])('%j is refused with exit code 2, in one line, and where the help is', (args, message) => {
  const { status, stdout, stderr } = run(args)
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr.startsWith(`reuseport: ${message}`), stderr).toBe(true)
  const of = COMMANDS.includes(args[0] ?? '') ? ` ${args[0]}` : ''
  expect(stderr.split('\n').slice(1)).toEqual([`See reuseport${of} --help.`, ''])
})

test('build: nothing to do where the addon loads', () => {
  const { status, stdout, stderr } = run(['build'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^The addon loads here: .*\.node\nThere is nothing to build; --force builds it anyway\.\n$/)
})

test('build: what is missing is told before anything is done', () => {
  const env = { PATH: '/nonexistent' }
  const { status, stderr } = spawnSync(process.execPath, [main, 'build', '--force'], { encoding: 'utf8', env })
  expect(status).toBe(1)
  expect(stderr).toMatch(
    /^reuseport: the addon cannot be built, because tools are missing: C\+\+ compiler, make, python3, tar, npm\n/,
  )
  expect(stderr).toContain('apt-get install g++ make python3')
})

test('doctor: a line for each thing, 0 where ports are balanced', () => {
  const { status, stdout, stderr } = run(['doctor'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const names = ['system', 'surroundings', 'addon', 'option', 'balanced', 'permission model']
  const kernel = ['classic BPF', 'CVE-2026-52910', 'SO_INCOMING_CPU', 'tcp_migrate_req', 'somaxconn', 'open files']
  for (const name of [...names, ...kernel]) expect(stdout).toMatch(new RegExp(`^[✓✗·?] ${name} `, 'm'))
  expect(stdout).toMatch(/^✓ balanced +by hash$/m)
  expect(stdout).not.toContain('\x1b')
})

test.skipIf(whyNoNamespace() !== undefined).each([
  ['without 127.0.0.1', 'ip link set lo up; ip addr del 127.0.0.1/8 dev lo'],
  ['without ::1', 'ip link set lo up; ip addr del ::1/128 dev lo'],
  ['without either', 'true'],
])(`doctor on a host %s (skipped where no network namespace can be made)`, (_host, prepare) => {
  const words = ['-rn', 'sh', '-c', `${prepare}; exec "$@"`, 'sh', process.execPath, main, 'doctor']
  const stdout = execFileSync('unshare', words, { encoding: 'utf8' })
  expect(stdout).toMatch(/^✓ balanced +by hash$/m)
  expect(stdout).toMatch(/^✓ classic BPF +available$/m)
  expect(stdout).toMatch(/^✓ option +SO_REUSEPORT\n[^ ]/m)
})

test('doctor --json', () => {
  const { balanced, checks } = JSON.parse(run(['doctor', '--json']).stdout)
  expect(balanced).toBe(true)
  expect(checks.length).toBeGreaterThan(6)
  for (const check of checks) {
    expect(check).toMatchObject({ name: expect.any(String), value: expect.any(String) })
    expect(['yes', 'no', 'note', 'unknown']).toContain(check.status)
  }
})

test('doctor without the addon says so, and ends with 1 where Node cannot share either', () => {
  const { status, stdout } = run(['doctor'], ['--no-addons'])
  expect(status).toBe(NODE_SHARES ? 0 : 1)
  expect(stdout).toMatch(/^✗ addon +not loaded\n {4}.*--no-addons/m)
  expect(stdout).toMatch(/^\? classic BPF +cannot be tested/m)
})

test('ls: the ports named, as text and as JSON', () => {
  using socket = openReusePortSocket({ host: '127.0.0.1', backlog: 17 })
  using _second = openReusePortSocket({ host: '127.0.0.1', port: socket.address().port })
  const { port } = socket.address()
  const { status, stdout } = run(['ls', String(port)])
  expect(status).toBe(0)
  expect(stdout).toMatch(
    new RegExp(`^tcp 127\\.0\\.0\\.1:${port} {2}2 members\\n.*PID.*QUEUE.*COMMAND\\n(.* 0/.*\\n){2}$`),
  )
  // By inode, which the kernel does not give out in order.
  for (const queue of [' 0/17 ', ' 0/511 ']) expect(stdout).toContain(queue)
  for (const sign of ['\x1b', '·', '█', '…']) expect(stdout).not.toContain(sign)

  const { groups } = JSON.parse(run(['ls', String(port), '--json']).stdout)
  expect(groups).toMatchObject([{ protocol: 'tcp', family: 'IPv4', address: '127.0.0.1', port, members: [{}, {}] }])
  expect(groups[0].members.map(({ backlog }: { backlog: number }) => backlog).toSorted()).toEqual([17, 511])
  expect(Object.keys(groups[0])).toEqual(['protocol', 'family', 'address', 'port', 'uid', 'members'])
  expect(Object.keys(groups[0].members[0])).toEqual([
    ...['inode', 'cookie', 'uid', 'user', 'pid', 'command', 'startedAt', 'self', 'hidden', 'address', 'port', 'family'],
    ...['queued', 'backlog', 'drops', 'state', 'established'],
  ])
  expect(new Date(groups[0].members[0].startedAt).getTime()).toBeLessThan(Date.now())
  expect(run(['ls', String(port), '--udp']).stdout).toBe('No group.\n')
  expect(run(['ls']).stdout).toContain(`127.0.0.1:${port}`)
})

test('ls where the system does not tell: 1 and the reason', () => {
  const { status, stderr } = run(['ls'], ['--no-addons'])
  expect(status).toBe(1)
  expect(stderr).toMatch(/^reuseport: inspectGroups needs the native addon: /)
})

test('a reader that goes early is no error', () => {
  const shell = `"${process.execPath}" "${main}" ls --watch 0.1 --json | head -n 2; exit "\${PIPESTATUS[0]}"`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', shell], { encoding: 'utf8' })
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => Object.keys(JSON.parse(line))),
  ).toEqual([
    ['groups', 'supervisors'],
    ['groups', 'supervisors'],
  ])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test.each([40, 80, 200])(
  '--watch on a terminal of %i columns: in place, ended by Ctrl-C, left as it was',
  (columns) => {
    using socket = openReusePortSocket({ host: '127.0.0.1' })
    const { port } = socket.address()
    const { written, code, same } = onTerminal(columns, 3, ['ls', String(port), '--watch', '0.1'])
    expect({ code, same }).toEqual({ code: 0, same: true })
    expect(written.startsWith('\x1b[?1049h\x1b[?25l\x1b[H')).toBe(true)
    expect(written.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true)
    expect(written).toContain(`127.0.0.1:${port}`)
    expect(written).toContain('········ 0/511')
    const shown = stripVTControlCharacters(written.replaceAll('\x1b[H', '\n')).replaceAll('^C', '')
    for (const line of shown.split(/\r?\n/)) expect(line.length, line).toBeLessThanOrEqual(columns)
  },
)

test('--watch shows no more lines than there are', () => {
  using first = openReusePortSocket({ host: '127.0.0.1' })
  const { port } = first.address()
  const others = Array.from({ length: 9 }, () => openReusePortSocket({ host: '127.0.0.1', port }))
  const { written } = onTerminal(80, 2, ['ls', String(port), '--watch', '0.1'], {}, 6)
  for (const other of others) other.close()
  const [, frame = ''] = written.split('\x1b[H')
  expect(frame.split('\n')).toHaveLength(6)
})

test('colours on a terminal, none with NO_COLOR', () => {
  using socket = openReusePortSocket({ host: '127.0.0.1' })
  const args = ['ls', String(socket.address().port)]
  expect(onTerminal(80, 0, args).written).toContain('\x1b[1mtcp')
  expect(onTerminal(80, 0, args, { NO_COLOR: '1' }).written).not.toContain('\x1b')
  expect(onTerminal(80, 0, ['doctor']).written).toContain('\x1b[32m✓\x1b[0m balanced')
})
