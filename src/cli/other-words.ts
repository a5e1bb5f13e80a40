// Pure: what pm2, gunicorn and others call the commands and options of this one.

/** `option`: the option of `run` that the hint is about; without that option in this version there is no hint. */
interface Word {
  readonly option?: string
  readonly hint: string
}

const COUNT: Word = { option: 'workers', hint: '-n 4 starts 4 workers, -n auto one per CPU' }
const PORT: Word = {
  hint: 'the program chooses its port, by an argument after the script or a variable such as PORT=8080',
}
const LOGS: Word = { hint: 'workers print to stdout and stderr of this command: redirect those (see --prefix, --json)' }
const FOREGROUND: Word = { hint: 'run stays in the foreground: systemd, a container or nohup keeps it running' }
const USER: Word = { hint: "workers run as the user of this command: see User= of systemd, or 'setpriv'" }

const OPTIONS: Readonly<Record<string, Word>> = {
  i: COUNT,
  instances: COUNT,
  w: COUNT,
  v: { hint: 'reuseport --version prints the version' },
  version: { hint: 'reuseport --version prints the version' },
  name: { hint: 'a supervisor is told by its script, port or pid, and has no name' },
  p: PORT,
  port: PORT,
  b: PORT,
  bind: PORT,
  d: FOREGROUND,
  D: FOREGROUND,
  daemon: FOREGROUND,
  'no-daemon': FOREGROUND,
  o: LOGS,
  e: LOGS,
  l: LOGS,
  output: LOGS,
  error: LOGS,
  log: LOGS,
  u: USER,
  uid: USER,
  user: USER,
  pid: { option: 'pid-file', hint: '--pid-file <file> writes the pid' },
  'max-memory-restart': { option: 'max-memory', hint: '--max-memory <size> replaces a worker that has grown' },
  'ignore-watch': { option: 'watch-ignore', hint: '--watch-ignore <what> leaves files out' },
  reload: { option: 'watch', hint: '--watch reloads when a file changes' },
  'node-args': { option: 'node-arg', hint: '--node-arg <option> is for one option of Node, and repeatable' },
  'interpreter-args': { option: 'node-arg', hint: '--node-arg <option> is for one option of Node, and repeatable' },
  'kill-timeout': { option: 'drain-timeout', hint: '--drain-timeout <time>, as 10s, is for a worker that leaves' },
  'graceful-timeout': { option: 'drain-timeout', hint: '--drain-timeout <time>, as 10s, is for a worker that leaves' },
  'listen-timeout': { option: 'ready-timeout', hint: '--ready-timeout <time>, as 30s, is for a worker to listen' },
  timeout: { option: 'hang-timeout', hint: '--hang-timeout <time>, as 30s, ends a worker that does not answer' },
  'wait-ready': { hint: "a worker is ready when it listens, or when the program calls process.send('ready')" },
}

/** What to type in place of an option of another command: `i` for `-i`. */
export function hintForOption(name: string, known: readonly string[]): string | undefined {
  const word = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined
  if (word === undefined || (word.option !== undefined && !known.includes(word.option))) return undefined
  return word.hint
}

const RUN = 'reuseport run server.js starts a program'
const END = 'reuseport stop drains the workers and ends their supervisor'
const SYSTEMD = 'reuseport systemd prints a unit that starts a program with the machine'
const OUTPUT = 'workers print to stdout and stderr of reuseport run'
const SEEN = 'reuseport status shows supervisors and their workers'

const COMMANDS: Readonly<Record<string, string>> = {
  start: RUN,
  serve: RUN,
  restart: 'reuseport reload replaces the workers, one after the other',
  list: SEEN,
  l: SEEN,
  ps: SEEN,
  info: SEEN,
  show: SEEN,
  describe: SEEN,
  jlist: 'reuseport status --json prints supervisors and their workers',
  monit: 'reuseport ls --watch shows who is on which port',
  top: 'reuseport ls --watch shows who is on which port',
  delete: END,
  del: END,
  kill: END,
  logs: OUTPUT,
  log: OUTPUT,
  startup: SYSTEMD,
  save: SYSTEMD,
  resurrect: SYSTEMD,
  v: 'reuseport --version prints the version',
  version: 'reuseport --version prints the version',
}

/** What to type in place of a command of another name, `-v`, or a script without `run`. */
export function hintForCommand(word: string): string | undefined {
  const name = word.replace(/^-{1,2}/, '')
  if (Object.hasOwn(COMMANDS, name)) return COMMANDS[name]
  if (word.startsWith('-')) return hintForOption(name, ['workers'])
  return word === '.' || /\/|\.[cm]?[jt]s$/.test(word) ? `reuseport run ${word} runs that program` : undefined
}
