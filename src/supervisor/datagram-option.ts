import { parseByPolicy } from '../steering/by-policy.js'
import type { BytesPolicy } from '../steering/steering-types.js'
import { SupervisorOptionError } from './option-values.js'

const NAME = 'datagramSteering'

/** @throws SupervisorOptionError, and the errors of `steer` for its policy */
export function toDatagramSteering({
  datagramSteering,
  oneSocket,
}: {
  readonly datagramSteering?: unknown
  readonly oneSocket?: unknown
}): BytesPolicy | undefined {
  if (datagramSteering === undefined) return undefined
  const isObject = typeof datagramSteering === 'object' && datagramSteering !== null
  const policy = isObject ? parseByPolicy(NAME, datagramSteering) : undefined
  if (policy?.by !== 'bytes' || policy.table !== undefined)
    throw new SupervisorOptionError(NAME, datagramSteering, "{ by: 'bytes', offset, length } without a table")
  if (oneSocket) throw new SupervisorOptionError(NAME, datagramSteering, "undefined where 'oneSocket' is true")
  return policy
}
