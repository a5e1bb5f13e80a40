// Pure: the policies that a supervisor takes by name.
import type { SteeringName } from './protocol.js'

export const STEERING_NAMES: readonly SteeringName[] = ['hash', 'random', 'cpu', 'client']

export function isSteeringName(name: string): name is SteeringName {
  return (STEERING_NAMES as readonly string[]).includes(name)
}
