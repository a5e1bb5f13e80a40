// Pure: validates the policies and options of steering.
import { InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError } from '../common/errors.js'
import { assertObject, toInteger } from '../common/validation.js'
import { refuseUnknownOptions } from '../options/option-names.js'
import { parseByPolicy, refuseForTransport } from './by-policy.js'
import type { FilterInstruction, MemberName, SteeringOption, SteeringPolicy } from './steering-types.js'

const KINDS = ['cpu', 'weights', 'exclude', 'program', 'by'] as const

/** @throws InvalidArgumentTypeError, InvalidArgumentValueError, OutOfRangeError, ReusePortUnknownOptionError */
export function parsePolicy(value: unknown, name = 'policy'): SteeringPolicy {
  if (value === 'hash' || value === 'random') return value
  if (value === 'cpu') return { cpu: true }
  if (typeof value === 'string') {
    throw new InvalidArgumentValueError(name, value, "must be 'hash', 'random', 'cpu' or an object")
  }
  assertObject(name, value)
  if ('by' in value && value['by'] !== undefined) return parseByPolicy(name, value)
  refuseUnknownOptions(value, KINDS, `${name}.`)
  const policy = value as { readonly [kind in (typeof KINDS)[number]]?: unknown }
  const given = KINDS.filter((kind) => policy[kind] !== undefined)
  const [kind] = given
  if (kind === undefined || kind === 'by' || given.length > 1) {
    throw new InvalidArgumentValueError(name, value, `must have exactly one of: ${KINDS.join(', ')}`)
  }
  switch (kind) {
    case 'cpu':
      if (policy.cpu !== true) throw new InvalidArgumentValueError(`${name}.cpu`, policy.cpu, 'must be true')
      return { cpu: true }
    case 'weights':
      return {
        weights: toList(`${name}.weights`, policy.weights).map((entry, at) =>
          toWeight(`${name}.weights[${at}]`, entry),
        ),
      }
    case 'exclude':
      return {
        exclude: toList(`${name}.exclude`, policy.exclude).map((entry, at) => toName(`${name}.exclude[${at}]`, entry)),
      }
    case 'program':
      return { program: toProgram(`${name}.program`, toList(`${name}.program`, policy.program)) }
  }
}

/** The option `steering` of `listenReusePort`. */
export function parseSteeringOption(value: unknown): { policy: SteeringPolicy; optional: boolean } | undefined {
  if (value === undefined) return undefined
  const name = 'options.steering'
  if (typeof value !== 'object' || value === null || !('policy' in value)) {
    return { policy: forTcp(value, name), optional: false }
  }
  refuseUnknownOptions(value, ['policy', 'optional'], 'steering.')
  const { policy, optional } = value as Exclude<SteeringOption, SteeringPolicy>
  return { policy: forTcp(policy, `${name}.policy`), optional: toFlag(`${name}.optional`, optional) }
}

function forTcp(value: unknown, name: string): SteeringPolicy {
  const policy = parsePolicy(value, name)
  refuseForTransport(policy, 'tcp', name)
  return policy
}

export function toFlag(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw new InvalidArgumentTypeError(name, 'of type boolean', value)
}

function toList(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidArgumentTypeError(name, 'an array', value)
  if (value.length === 0) throw new InvalidArgumentValueError(name, value, 'must not be empty')
  return value
}

/** Names in their order of precedence: a member as `inspectGroup` gives it has both an inode and a pid. */
const NAMES = ['slot', 'inode', 'pid'] as const

const HIGHEST = { slot: 0xffff, inode: Number.MAX_SAFE_INTEGER, pid: 0x7fffffff } as const

function toName(name: string, value: unknown): MemberName {
  assertObject(name, value)
  const given = value as { readonly [name in (typeof NAMES)[number]]?: unknown }
  const by = NAMES.find((candidate) => given[candidate] !== undefined)
  if (by === undefined) throw new InvalidArgumentValueError(name, value, 'must have one of: pid, inode, slot')
  const number = toInteger(`${name}.${by}`, given[by], by === 'slot' ? 0 : 1, HIGHEST[by])
  return { [by]: number } as unknown as MemberName
}

function toWeight(name: string, value: unknown): MemberName & { readonly weight: number } {
  const member = toName(name, value)
  const { weight } = value as { readonly weight?: unknown }
  if (typeof weight !== 'number') throw new InvalidArgumentTypeError(`${name}.weight`, 'of type number', weight)
  if (weight >= 0 && weight <= 1e6) return { ...member, weight }
  throw new OutOfRangeError(`${name}.weight`, '>= 0 && <= 1000000', weight)
}

const MAX_INSTRUCTIONS = 4096
const CLASS = 7
const JUMP = 5
const RETURN = 6
const JUMP_ALWAYS = 5

function toProgram(name: string, list: readonly unknown[]): readonly FilterInstruction[] {
  if (list.length > MAX_INSTRUCTIONS) {
    throw new OutOfRangeError(`${name}.length`, `<= ${MAX_INSTRUCTIONS} instructions`, list.length)
  }
  const program = list.map((entry, at) => toInstruction(`${name}[${at}]`, entry))
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    if ((code & CLASS) !== JUMP) continue
    const farthest = code === JUMP_ALWAYS ? k : Math.max(jt, jf)
    if (at + 1 + farthest < program.length) continue
    throw new InvalidArgumentValueError(`${name}[${at}]`, list[at], 'jumps beyond the end of the program')
  }
  if (((program.at(-1)?.code ?? 0) & CLASS) !== RETURN) {
    throw new InvalidArgumentValueError(
      `${name}[${program.length - 1}]`,
      list.at(-1),
      'must return: it is the last instruction',
    )
  }
  return program
}

function toInstruction(name: string, value: unknown): { code: number; jt: number; jf: number; k: number } {
  assertObject(name, value)
  refuseUnknownOptions(value, ['code', 'jt', 'jf', 'k'], `${name}.`)
  const { code, jt = 0, jf = 0, k = 0 } = value as { readonly [part in keyof FilterInstruction]: unknown }
  return {
    code: toInteger(`${name}.code`, code, 0, 0xffff),
    jt: toInteger(`${name}.jt`, jt, 0, 0xff),
    jf: toInteger(`${name}.jf`, jf, 0, 0xff),
    // Negative numbers are allowed: the kernel's headers define the offsets SKF_NET_OFF and SKF_LL_OFF as such.
    k: toInteger(`${name}.k`, k, -0x8000_0000, 0xffff_ffff) >>> 0,
  }
}
