export type { EndingSignal } from './common/ending-signals.js'
export type { ListenFailure } from './common/listen-failure.js'
export type { WorkersLimit } from './supervisor/automatic-workers.js'
export { writeInBackground } from './supervisor/background.js'
export {
  reloadSupervisor,
  type Stopped,
  scaleSupervisor,
  stopSupervisor,
  supervisorVitals,
} from './supervisor/commands.js'
export { ask, type ControlFile, controlFiles, supervisors } from './supervisor/control-client.js'
export type { SupervisorStatus } from './supervisor/control-protocol.js'
export type { DeployOptions } from './supervisor/deploy-options.js'
export { ControlError, SupervisorError } from './supervisor/errors.js'
export type {
  ListeningInfo,
  Others,
  Replaced,
  SupervisorEvents,
  WorkerInfo,
  WorkerReport,
  WorkerState,
} from './supervisor/events.js'
export type { ExitCause } from './supervisor/exit-cause.js'
export type { LastExit, LastReload, SlotHistory } from './supervisor/history.js'
export type { WorkerExit } from './supervisor/launch.js'
export { SupervisorOptionError } from './supervisor/option-values.js'
export type { DatagramSteeringOption, SupervisorOptions } from './supervisor/options.js'
export type { SteeringName } from './supervisor/protocol.js'
export type { RecyclingReason } from './supervisor/recycling.js'
export { Supervisor, type SupervisorState } from './supervisor/supervisor.js'
export { notifySystemd, systemdSockets } from './supervisor/systemd.js'
export type { SupervisorVitals, WorkerVitals } from './supervisor/vitals-protocol.js'
