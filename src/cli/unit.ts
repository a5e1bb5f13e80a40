// Pure: the units of systemd that run a program by `reuseport run`. systemd.service(5), systemd.socket(5), systemd.exec(5)
import { execPath, execWord, specifiers } from './unit-quoting.js'

export interface Unit {
  /** Of the unit, without `.service`. */
  readonly name: string
  readonly script: string
  /** The command: node with its options, and the command's own file. The first one is a path. */
  readonly command: readonly string[]
  /** After `run`: options, the script and its arguments. */
  readonly args: readonly string[]
  readonly folder: string
  /** Undefined: nobody is named, and the unit runs as root. */
  readonly user: string | undefined
  /** ms. */
  readonly drainTimeout: number
  /** ms. */
  readonly grace: number
  /** What systemd listens on: ports, or addresses with ports. */
  readonly sockets: readonly string[]
  /** Whether Node, the command or the program lie in /home, /root or /run/user. */
  readonly isBelowHome: boolean
}

/** s beside the drain and the waits for new connections: more than a supervisor allows a worker. A test compares. */
const END = 17

export function serviceUnit(unit: Unit): string {
  const { command, drainTimeout, folder, grace, isBelowHome, name, script, sockets, user } = unit
  const [node = '', ...rest] = command
  const line = (...words: readonly string[]): string => [execPath(node), ...[...rest, ...words].map(execWord)].join(' ')
  const socket = `${specifiers(name)}.socket`
  return `# ${name}.service
[Unit]
Description=${specifiers(script)} by reuseport run
Wants=network-online.target
After=network-online.target${sockets.length > 0 ? ` ${socket}\nRequires=${socket}` : ''}

[Service]
# The supervisor says when its workers listen and when it stops. It limits the time of
# each start and reload itself (--ready-timeout).
Type=notify
NotifyAccess=main
TimeoutStartSec=infinity
ExecStart=${line('run', ...unit.args)}
# Waits until the new workers serve, and fails where they do not.
ExecReload=${line('reload')} $MAINPID
WorkingDirectory=${specifiers(folder)}
${user === undefined ? '# Name a user who may do less than root:\n# User=app' : `User=${specifiers(user)}`}
# Environment=NODE_ENV=production

# mixed: SIGTERM goes to the supervisor alone, which drains its workers. control-group
# (the default) would also send it to each worker, and process would leave workers
# behind where the supervisor is killed.
KillMode=mixed
# --drain-timeout (${drainTimeout / 1000} s), and what else the supervisor allows a worker. What is left then is killed.
TimeoutStopSec=${Math.ceil((drainTimeout + 3 * grace) / 1000) + END}

# The supervisor restarts workers, systemd the supervisor. 2 is a wrong command line.
Restart=on-failure
RestartSec=1
RestartPreventExitStatus=2
# A worker that the kernel kills for its memory is restarted: it must not stop the others.
OOMPolicy=continue
SyslogIdentifier=${specifiers(name)}

# reuseport ls and reload find the supervisor by a socket in /tmp: no PrivateTmp=. Node
# compiles at run time: no MemoryDenyWriteExecute=. Workers share sockets by pidfd_getfd
# and see the system by netlink: no SystemCallFilter=@system-service.
NoNewPrivileges=yes
ProtectSystem=full
${isBelowHome ? '# ProtectHome=yes would hide Node or the program, which lie in a home.' : 'ProtectHome=yes'}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=multi-user.target
`
}

/** systemd holds the port. All workers accept from its one socket. */
export function socketUnit({ name, script, sockets }: Unit): string {
  return `# ${name}.socket
[Unit]
Description=Sockets of ${specifiers(script)}

[Socket]
${sockets.map((socket) => `ListenStream=${socket}`).join('\n')}
Backlog=4096

[Install]
WantedBy=sockets.target
`
}
