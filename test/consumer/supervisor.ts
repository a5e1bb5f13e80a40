// As usage.ts, for reuseport/supervisor.
import {
  notifySystemd,
  type SteeringName,
  Supervisor,
  SupervisorError,
  type SupervisorState,
  systemdSockets,
  type WorkerInfo,
} from 'reuseport/supervisor'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_equal: Same<A, B>): void {}

await using supervisor = new Supervisor({ script: 'server.js', workers: 'auto', sockets: systemdSockets() })
notifySystemd(supervisor)
supervisor.on('worker:exit', (worker, { code, signal, isExpected }) => {
  same<typeof worker, WorkerInfo>(true)
  same<typeof code, number | null>(true)
  same<typeof signal, NodeJS.Signals | null>(true)
  same<typeof isExpected, boolean>(true)
})
supervisor.on('reload:failed', (_generation, error) => same<typeof error, Error>(true))
supervisor.once('worker:listening', (_worker, { port, isTakenOver }) => {
  same<typeof port, number>(true)
  same<typeof isTakenOver, boolean>(true)
})
// @ts-expect-error there is no such event
supervisor.on('worker:explodes', () => {})
// @ts-expect-error a number, or 'auto'
new Supervisor({ script: 'x', workers: 'many' })
new Supervisor({ script: new URL('./server.js', import.meta.url), steering: 'cpu' })
// @ts-expect-error it needs a script
new Supervisor({ workers: 2 })
// @ts-expect-error a name of its own
const steering: SteeringName = 'left'
same<typeof steering, SteeringName>(true)

const done: Promise<void> = supervisor.reload()
const state: SupervisorState = supervisor.state
same<typeof state, SupervisorState>(true)
done.catch((error: unknown) => {
  if (!(error instanceof SupervisorError)) return
  same<typeof error.code, 'ERR_REUSEPORT_WORKER_FAILED' | 'ERR_REUSEPORT_GAVE_UP' | 'ERR_REUSEPORT_SUPERVISOR_STATE'>(
    true,
  )
})
await supervisor.scale(3)
await supervisor.closed
