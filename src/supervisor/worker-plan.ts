import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import type { CompileCache } from './compile-cache.js'
import { isObserved } from './compile-cache-size.js'
import type { Kept } from './kept-socket.js'
import type { Program } from './launch.js'
import type { Settings } from './options.js'
import { WORKER_GENERATION, WORKER_NAME, WORKER_SLOT } from './protocol.js'
import type { ReservedPorts } from './reserved-ports.js'
import { scriptPath, toFile } from './script-option.js'
import type { WorkerPlan } from './worker-events.js'

export interface PlanOwner {
  readonly settings: Settings
  /** Ports for the calls with port 0. */
  readonly ports: Pick<ReservedPorts, 'ports' | 'datagramPorts'> | undefined
  readonly ticketKeys: string
  readonly generation: number
  readonly compileCache?: Pick<CompileCache, 'folderFor'> | undefined
  /** Whether all workers accept from one socket. */
  readonly isShared: boolean
}

/** What a new worker gets. @throws where the file of the environment cannot be read. */
export function planOf(name: string, slot: number, sockets: readonly Kept[], owner: PlanOwner): WorkerPlan {
  const { settings, generation, ticketKeys, isShared } = owner
  const { steering, balance, grace, drainTimeout } = settings
  const { ports = [], datagramPorts = [] } = owner.ports ?? {}
  const given = { ports, datagramPorts, isShared, steering, balance, ticketKeys, grace, drainTimeout }
  const known = { [WORKER_NAME]: name, [WORKER_SLOT]: `${slot}`, [WORKER_GENERATION]: `${generation}` }
  const program = programOf(settings, { [settings.instanceVar]: `${slot}`, ...known })
  const compileCache = mayHaveCache(settings, program) ? owner.compileCache?.folderFor(slot) : undefined
  const configuration = { worker: name, compileCache, ...given }
  return { slot, generation, program, configuration, sockets }
}

function mayHaveCache({ compileCache }: Settings, program: Program): boolean {
  return compileCache && !isObserved(program.execArgv, program.env) && !hasItsOwn(toFile(scriptPath(program)))
}

/** Node has one cache in a process, and programs that choose its folder do so in their first file. */
function hasItsOwn(script: string): boolean {
  try {
    return readFileSync(script).includes('enableCompileCache')
  } catch {
    return false
  }
}

/** The file of the environment is read at each start. What the worker knows of itself stands above all other variables. */
function programOf(settings: Settings, known: Readonly<Record<string, string>>): Program {
  const { script, args, execArgv, cwd, output, env, envFile } = settings
  const more = envFile === undefined ? {} : parseEnv(readFileSync(envFile, 'utf8'))
  return { script, args, execArgv, cwd, output, env: { ...more, ...env, ...known } }
}
