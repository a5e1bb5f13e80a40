// The units that `reuseport systemd` prints: read by a strict parser, and by systemd where it is installed.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { optionsOf, parseHelp } from '../../src/cli/help-parser.js'
import { DRAIN_TIMEOUT, GRACE, SYSTEMD_HELP } from '../../src/cli/systemd.js'
import { parseSystemdArguments } from '../../src/cli/systemd-arguments.js'
import { serviceUnit, socketUnit, type Unit } from '../../src/cli/unit.js'
import { execPath, execWord, specifiers, whyNoValue } from '../../src/cli/unit-quoting.js'
import { parseOptions } from '../../src/supervisor/options.js'
import { leaveTimeout } from '../../src/supervisor/patience.js'
import { commandLine, readUnit, setting, verified } from '../support/systemd-units.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

const UNIT: Unit = {
  name: 'app',
  script: 'server.js',
  command: ['/usr/bin/node', '/srv/app/node_modules/reuseport/dist/cli/main.js'],
  args: ['-n', '2', 'server.js'],
  folder: '/srv/app',
  user: 'app',
  drainTimeout: DRAIN_TIMEOUT,
  grace: GRACE,
  sockets: [],
  isBelowHome: false,
}

const service = (unit: Partial<Unit> = {}) => readUnit(serviceUnit({ ...UNIT, ...unit }))
const value = (name: string, unit: Partial<Unit> = {}) => setting(service(unit), 'Service', name)
/** As it stands there. */
const execStart = (unit: Partial<Unit> = {}) => service(unit).get('Service')?.get('ExecStart')?.[0] ?? ''

describe('the unit', () => {
  test('as a whole', () => {
    expect(serviceUnit({ ...UNIT, sockets: ['80', '[::1]:443'] })).toMatchSnapshot()
    expect(socketUnit({ ...UNIT, sockets: ['80', '[::1]:443'] })).toMatchSnapshot()
  })

  test('systemd waits longer than the drain takes, and 5 s for the end of the programs', () => {
    expect(value('TimeoutStopSec')).toBe('28')
    expect(value('TimeoutStopSec', { drainTimeout: 120_000, grace: 3000 })).toBe('146')
    for (const times of [
      { drainTimeout: 10_000, grace: 50 },
      { drainTimeout: 120_000, grace: 3000 },
      { drainTimeout: 0, grace: 60_000 },
    ])
      expect(Number(value('TimeoutStopSec', times))).toBeGreaterThan(leaveTimeout(times) / 1000 + 2)
    const { drainTimeout, grace } = parseOptions({ script: 'server.js' })
    expect({ DRAIN_TIMEOUT, GRACE }).toEqual({ DRAIN_TIMEOUT: drainTimeout, GRACE: grace })
  })

  test('what lies in a home is not hidden', () => {
    expect(value('ProtectHome')).toBe('yes')
    expect(value('ProtectHome', { isBelowHome: true })).toBeUndefined()
  })

  test('a service starts after its socket, and never without it', () => {
    const unit = service({ sockets: ['80'] }).get('Unit')
    expect(unit?.get('After')).toEqual(['network-online.target app.socket'])
    expect(unit?.get('Requires')).toEqual(['app.socket'])
    expect(service().get('Unit')?.get('Requires')).toBeUndefined()
  })

  test('systemd takes it', ({ skip }) => {
    const unit = {
      ...UNIT,
      command: [process.execPath, ...UNIT.command.slice(1)],
      folder: '/',
      sockets: ['80', '[::1]:443'],
    }
    const units = { 'app.service': serviceUnit({ ...unit, user: 'app' }), 'app.socket': socketUnit(unit) }
    const { lines, unavailable } = verified(units)
    if (unavailable !== undefined) skip(unavailable)
    expect(lines).toEqual([])
    const broken = { ...units, 'app.service': units['app.service'].replace('KillMode=mixed', 'KillMode=mixd') }
    expect(verified(broken).lines.join()).toContain('mixd')
  })
})

const WORDS = [
  '',
  ' ',
  ';',
  '\\;',
  '%',
  '%n',
  '$',
  '$HOME',
  '$'.concat('{HOME}'),
  '"',
  "'",
  'a b',
  'a\\',
  'naïve',
  '日本',
  '\t\n\r',
  '\x1b\x7f\x85',
  '#',
  '\u2028',
  '-',
  '😀',
]

describe('quoting', () => {
  test.each(WORDS)('%j', (word) => {
    expect(commandLine(execStart({ args: ['server.js', word] }))).toEqual([...UNIT.command, 'run', 'server.js', word])
  })

  test('of any word', () => {
    const word = fc
      .oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(...WORDS))
      .filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(fc.array(word), (args) => {
        expect(commandLine(execStart({ args }))).toEqual([...UNIT.command, 'run', ...args])
      }),
    )
  })

  test('a path of Node has no variables, and each reads its values back', () => {
    const node = '/opt/a $b/50% "node"'
    expect(commandLine(execStart({ command: [node, '/main.js'], args: ['x'] }))).toEqual([node, '/main.js', 'run', 'x'])
    expect(execPath('/opt/$x')).toBe('"/opt/$x"')
    expect(execWord('$x')).toBe('"$$x"')
    expect(specifiers('100%')).toBe('100%%')
    expect(value('WorkingDirectory', { folder: '/srv/a b/50%/日本' })).toBe('/srv/a b/50%/日本')
  })

  test('what has no form there is refused', () => {
    expect(['/a\nb', '/a ', '/a\\', '/a b'].map(whyNoValue)).toEqual([
      'it has a control character',
      'it ends in a blank',
      'it ends in a backslash',
      undefined,
    ])
  })

  test('systemd reads such a line', ({ skip }) => {
    const text = serviceUnit({
      ...UNIT,
      command: [process.execPath, '/main.js'],
      args: WORDS,
      folder: '/',
      user: 'app',
    })
    const { lines, unavailable } = verified({ 'app.service': text })
    if (unavailable !== undefined) skip(unavailable)
    expect(lines).toEqual([])
  })
})

describe('what is typed', () => {
  test('its own options, between those of run and before the script', () => {
    const words = '--name app -n 2 --user=www --socket 80 --pin --socket=[::1]:443 --out /etc server.js --name other'
    expect(parseSystemdArguments(words.split(' '))).toMatchObject({
      args: ['-n', '2', '--pin', 'server.js', '--name', 'other'],
      options: { script: 'server.js', workers: 2, pin: true },
      name: 'app',
      user: 'www',
      sockets: ['80', '[::1]:443'],
      out: '/etc',
    })
    expect(parseSystemdArguments(['--', 'server.js'])).toMatchObject({ args: ['--', 'server.js'], sockets: [] })
    for (const words of [['-h'], ['--help'], ['--socket', '--help']]) expect(parseSystemdArguments(words)).toBe('help')
  })

  test('its help has each of them', () => {
    expect(optionsOf(parseHelp(SYSTEMD_HELP)).map(({ long }) => long)).toEqual([
      '--name',
      '--user',
      '--socket',
      '--out',
      '--help',
    ])
  })

  test.each([
    [['--socket', '0', 's.js'], '--socket takes a port'],
    [['--socket', '65536', 's.js'], '--socket takes a port'],
    [['--socket', '[127.0.0.1]:80', 's.js'], '--socket takes a port'],
    [['--socket', 'localhost:80', 's.js'], '--socket takes a port'],
    [['--socket'], '--socket takes a port or address:port such as 80 or [::1]:80'],
    [['--user', 'a b', 's.js'], "--user takes the name or the number of a user, not 'a b'"],
    [['--name', '../x', 's.js'], '--name takes letters'],
    [['--out', '--pin', 's.js'], "--out takes a folder, not '--pin'"],
    [['--grace', 'soon', 's.js'], '--grace takes a time'],
    [['--nme', 'x', 's.js'], 'There is no option --nme'],
    [[], 'script'],
  ] as const)('%j is refused', (words, message) => {
    expect(() => parseSystemdArguments(words)).toThrow(message)
  })
})

describe('the command', () => {
  let folder = ''
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'reuseport-systemd-')))
    mkdirSync(path.join(folder, 'release 1'))
    symlinkSync('release 1', path.join(folder, 'current'))
    writeFileSync(path.join(folder, 'release 1/my server.js'), '')
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })

  const run = (args: readonly string[], options: object = {}) =>
    spawnSync(process.execPath, ['--no-warnings', main, 'systemd', ...args], {
      encoding: 'utf8',
      cwd: folder,
      ...options,
    })

  test('names Node, the command and the folder in full, the folder as the shell does', () => {
    const cwd = path.join(folder, 'current')
    const { status, stdout } = run(['-n', '2', 'my server.js', '--verbose'], { cwd, env: { ...process.env, PWD: cwd } })
    expect(status).toBe(0)
    const unit = readUnit(stdout)
    expect(setting(unit, 'Service', 'WorkingDirectory')).toBe(cwd)
    const start = unit.get('Service')?.get('ExecStart')?.[0] ?? ''
    const own = [process.execPath, '--no-warnings', main]
    expect(commandLine(start)).toEqual([...own, 'run', '-n', '2', 'my server.js', '--verbose'])
    const reload = unit.get('Service')?.get('ExecReload')?.[0] ?? ''
    expect(commandLine(reload, ['$MAINPID'])).toEqual([...own, 'reload', '$MAINPID'])
    expect(stdout).toMatch(/^# my-server\.service\n/)
  })

  test('names itself as the folder does, not by the place that a link leads to', () => {
    const modules = path.join(folder, 'current/node_modules')
    mkdirSync(modules)
    symlinkSync(fileURLToPath(new URL('../..', import.meta.url)), path.join(modules, 'reuseport'))
    const cwd = path.join(folder, 'current')
    const { stdout } = run(['my server.js'], { cwd, env: { ...process.env, PWD: cwd } })
    expect(stdout).toContain(`${modules}/reuseport/dist/cli/main.js run `)
  })

  test('prints both units, which systemd takes', ({ skip }) => {
    const { stdout } = run(['--user', 'app', '--name', 'web', '--socket', '80', '--cwd', 'current', 'my server.js'])
    const [first = '', second = ''] = stdout.split(/^(?=# web\.socket$)/m)
    expect(readUnit(second).get('Socket')?.get('ListenStream')).toEqual(['80'])
    const { lines, unavailable } = verified({ 'web.service': first, 'web.socket': second })
    if (unavailable !== undefined) skip(unavailable)
    expect(lines).toEqual([])
  })

  test('writes them into a folder, and overwrites none', () => {
    const out = path.join(folder, 'units')
    const args = ['--out', 'units', '--user', 'app', '--socket', '80', 'current/my server.js']
    const missing = run(args)
    expect(missing).toMatchObject({ status: 2, stdout: '' })
    expect(missing.stderr).toContain(`There is no folder ${out} (--out)`)
    mkdirSync(out)
    const { status, stderr, stdout } = run(args)
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    expect(stderr.trim().split('\n')).toEqual([
      `reuseport: wrote ${out}/my-server.service`,
      `reuseport: wrote ${out}/my-server.socket`,
      'reuseport: then: systemctl daemon-reload && systemctl enable --now my-server.socket',
    ])
    expect(readUnit(readFileSync(path.join(out, 'my-server.socket'), 'utf8')).has('Socket')).toBe(true)
    writeFileSync(path.join(out, 'my-server.service'), 'edited')
    const again = run(args)
    expect(again).toMatchObject({ status: 1 })
    expect(again.stderr).toContain('my-server.service is there already')
    expect(readFileSync(path.join(out, 'my-server.service'), 'utf8')).toBe('edited')
  })

  test('a script that is not there is exit code 2', () => {
    const { status, stderr } = run(['nothing.js'])
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'reuseport: There is no script nothing.js\n' })
  })

  test.skipIf(process.getuid?.() !== 0)('the user: who runs it, or who called sudo (skipped without root)', () => {
    const args = ['current/my server.js']
    const user = (options: object) => setting(readUnit(run(args, options).stdout), 'Service', 'User')
    const { SUDO_USER: _, ...env } = process.env
    expect(user({ env: { ...env, SUDO_USER: 'www-data' } })).toBe('www-data')
    expect(user({ env })).toBeUndefined()
    expect(run(args, { env }).stderr).toContain('the unit names no user, so the program runs as root: give --user')
    expect(user({ env: { ...env, SUDO_USER: 'root' } })).toBeUndefined()
  })
})
