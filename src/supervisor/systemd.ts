// The sockets that systemd passes to a service, and the notifications that it expects: sd_listen_fds(3), sd_notify(3).
import process from 'node:process'
import { getSystemErrorName } from 'node:util'
import { loadAddon } from '../native/addon.js'
import type { Supervisor } from './supervisor.js'

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST = 3

/**
 * The sockets that systemd has passed to this process (`LISTEN_FDS`), for the option `sockets`. The function removes
 * the variables from `process.env`, because they apply only to this process. Empty where systemd has passed none. `name`
 * is that of `LISTEN_FDNAMES`. `sd_listen_fds(3)`.
 */
export function systemdSockets(): readonly { readonly fd: number; readonly name: string | undefined }[] {
  const {
    LISTEN_PID: pid,
    LISTEN_FDS: count,
    LISTEN_FDNAMES: names,
  } = process.env as Record<string, string | undefined>
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete process.env[name]
  if (Number(pid) !== process.pid || !/^\d{1,4}$/.test(count ?? '')) return []
  const labels = (names ?? '').split(':')
  return Array.from({ length: Number(count) }, (_, index) => ({ fd: FIRST + index, name: labels[index] || undefined }))
}

/**
 * Notifies systemd when a supervisor is ready, reloads and stops, where `NOTIFY_SOCKET` is set (`Type=notify` or
 * `notify-reload`). The function removes the variable from `process.env`. Where systemd cannot be notified, the supervisor
 * emits a `'warning'`. Linux, `sd_notify(3)`.
 */
export function notifySystemd(supervisor: Supervisor): void {
  const to = process.env['NOTIFY_SOCKET']
  delete process.env['NOTIFY_SOCKET']
  if (to === undefined || to === '') return
  let hasFailed = false
  const notify = (...lines: readonly string[]): void => {
    const failed = send(to, lines.join('\n'))
    if (failed === undefined || hasFailed) return
    hasFailed = true
    supervisor.emit('warning', `cannot notify systemd (NOTIFY_SOCKET): ${failed}`)
  }
  const ready = (): void => notify('READY=1', `MAINPID=${process.pid}`, `STATUS=${describe(supervisor)}`)
  supervisor.once('running', ready)
  supervisor.on('reload:start', () => {
    // systemd compares this time with CLOCK_MONOTONIC, in µs.
    notify('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=reloading')
  })
  for (const event of ['reload:done', 'reload:failed'] as const) supervisor.on(event, ready)
  supervisor.on('scaled', () => notify(`STATUS=${describe(supervisor)}`))
  supervisor.on('stopping', () => notify('STOPPING=1', 'STATUS=draining'))
}

function describe({ workers, generation }: Supervisor): string {
  return `${workers.length} workers, generation ${generation}`
}

function send(to: string, text: string): string | undefined {
  const state = loadAddon()
  if (!state.loaded) return state.reason
  const failure = state.addon.sendToUnix(to, text)
  return failure === undefined ? undefined : `${failure.syscall} ${getSystemErrorName(failure.errno)}`
}
