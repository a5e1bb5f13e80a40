// What tests of the documentation's snippets leave out, each with its reason. A test holds both lists exact.

/** Snippets that nothing runs or checks, by document and first line. */
export const UNCHECKED: Readonly<Record<string, string>> = {
  'docs/api.md: listenReusePort(server[, port[, host[, backlog]]][, callback])': 'signatures',
  'docs/api.md: bindReusePort(socket[, port[, address]][, callback])': 'signatures',
  'docs/cli.md: reuseport 40: starts 2 workers: the CPU quota in /sys/fs/cgroup is 2.5 of 8 CPUs':
    'a line of output; test/cli/run-auto.test.ts makes such ones',
  'docs/cli.md: tcp [::]:8080  3 members  ! members differ in command':
    'output; the snapshots of test/cli have such tables',
  'docs/cli.md: /srv/app/server.js  [::]:8080': 'output; the snapshots of test/cli have such tables',
  'docs/cli.md: reuseport: reload failed: worker 0 was not healthy within 30 s: GET /healthz was answered by 500; workers 0 to 3 serve generation 1':
    'output; test/supervisor/canary.test.ts has such errors',
  'docs/cli.md: reuseport: worker 0 could not listen on [::]:8080 (EADDRINUSE): process 41 of user app (node old.js) has the port without SO_REUSEPORT, …':
    'output; test/cli/run.test.ts has such a line',
  'docs/cli.md: tcp [::]:8080  2 members': 'output; the snapshots of test/cli have such tables',
  'CONTRIBUTING.md: src/cli/                                the command: what users import, and pure helpers':
    'folders, which test/unit/rooms.test.ts knows',
}

/** Programs of others that shell snippets start. Only their lines are parsed, by `sh -n`. */
export const FOREIGN_COMMANDS: Readonly<Record<string, string>> = {
  cd: 'the shell',
  curl: 'asks what docs/guides/monitoring.md has started: test/cli/metrics.test.ts does',
  docker: 'takes an engine; what it starts of this package is parsed',
  echo: 'the shell',
  esbuild: 'a bundler: scripts/package/bundlers.mjs runs it',
  exit: 'the shell',
  git: 'fetches a release of the reader',
  journalctl: 'takes a running systemd',
  kill: 'sends a signal',
  kubectl: 'takes a cluster; what it starts of this package is parsed',
  ln: 'moves a link: test/cli/deploy.test.ts does it',
  nginx: 'takes a running nginx: test/integration/beyond-one-machine.test.ts has one',
  node: 'runs a program of the reader',
  npm: 'installs packages: scripts/package/managers.mjs runs it',
  rollup: 'a bundler: scripts/package/bundlers.mjs runs it',
  sed: 'changes a file of the reader',
  set: 'the shell',
  systemctl: 'takes a running systemd',
  useradd: 'takes root, and changes the machine',
}
