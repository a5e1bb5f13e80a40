import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { Kept } from './kept-socket.js'
import type { Program } from './launch.js'
import type { Settings } from './options.js'
import { WORKER_NAME } from './protocol.js'
import type { ReservedPorts } from './reserved-ports.js'
import type { WorkerPlan } from './worker-events.js'

export interface PlanOwner {
  readonly settings: Settings
  /** Ports for the calls with port 0. */
  readonly ports: Pick<ReservedPorts, 'ports' | 'datagramPorts'> | undefined
  readonly ticketKeys: string
  readonly generation: number
  /** Whether all workers accept from one socket. */
  readonly isShared: boolean
}

/** What a new worker gets. @throws where the file of the environment cannot be read. */
export function planOf(name: string, slot: number, sockets: readonly Kept[], owner: PlanOwner): WorkerPlan {
  const { settings, generation, ticketKeys, isShared } = owner
  const { steering, balance, grace, drainTimeout } = settings
  const { ports = [], datagramPorts = [] } = owner.ports ?? {}
  const given = { ports, datagramPorts, isShared, steering, balance, ticketKeys, grace, drainTimeout }
  const configuration = { worker: name, ...given, counts: settings.metrics !== undefined }
  return { slot, generation, program: programOf(settings, name), configuration, sockets }
}

/** The file of the environment is read at each start. */
function programOf({ script, args, execArgv, cwd, output, env, envFile }: Settings, name: string): Program {
  const more = envFile === undefined ? {} : parseEnv(readFileSync(envFile, 'utf8'))
  return { script, args, execArgv, cwd, output, env: { ...more, ...env, [WORKER_NAME]: name } }
}
