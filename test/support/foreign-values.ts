/** What another process may send: any value, and valid messages with mistakes. */
import fc from 'fast-check'

/** For each property about a validator. */
export const RUNS = { numRuns: 2000 } as const

/** A copy with another member at `path`, for example `workers.0.pid`; without that member where `value` is undefined. */
export function withMember(message: unknown, path: string, value: unknown): unknown {
  const copy: unknown = structuredClone(message)
  const names = path.split('.')
  const last = names.pop() ?? ''
  let holder: unknown = copy
  for (const name of names) holder = Reflect.get(holder as object, name)
  if (value === undefined) Reflect.deleteProperty(holder as object, last)
  else define(holder as object, last, value)
  return copy
}

/** Also for the key `__proto__`, as JSON.parse and structuredClone define it. */
function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

/** A copy that has the key `__proto__` itself, as JSON.parse makes it. */
export function withOwnProto(message: object, members: unknown): unknown {
  return withMember(message, '__proto__', members)
}

/** Values of each type that JSON has, and of each type that is wrong for a member of some type. */
export const NO_TEXT: readonly unknown[] = [undefined, null, 5, true, ['text'], { text: 'text' }]
export const NO_FLAG: readonly unknown[] = [undefined, null, 0, 1, 'true', [], {}]
export const NO_LIST: readonly unknown[] = [undefined, null, 5, 'text', true, {}, { length: 0 }]
export const NO_OBJECT: readonly unknown[] = [undefined, null, 5, 'text', true, [], [{}]]
/** Neither numbers nor whole numbers from 0. */
export const NO_NUMBER: readonly unknown[] = [undefined, null, '1', true, [1], {}, -1, Number.NaN, Infinity, -Infinity]
export const NO_COUNT: readonly unknown[] = [...NO_NUMBER, 0.5, 2 ** 53]

/** Keys that objects inherit, and keys of the messages of this library. */
const keys = fc.oneof(
  fc.string(),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'length', '0', 'type', 'version', 'policy', 'body'),
)
const atBounds = fc.constantFrom(0, -0, -1, 0.5, 0xffff, 0x10000, 600_001, 0x7fffffff, 0x80000000, 2 ** 53, 1e308)
/** Around the bounds of texts. */
const texts = fc
  .constantFrom(0, 1, 32, 33, 64, 65, 128, 129, 256, 257, 1024, 1025, 4096, 4097)
  .map((length) => 'x'.repeat(length))
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 'hash', 'IPv4'),
  atBounds,
  fc.double(),
  texts,
  fc.string(),
)
const lists = fc
  .tuple(fc.constantFrom(0, 1, 4096, 4097), fc.constantFrom<unknown>(0, 'x', null, {}))
  .map(([length, one]) => new Array(length).fill(one))

function trees(leaves: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaves,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.array(fc.tuple(keys, tie('tree')), { maxLength: 5 }).map((members) => {
        const object = {}
        for (const [name, value] of members) define(object, name, value)
        return object
      }),
    ),
  })).tree
}

/** Any value that JSON has. */
export const jsonValue: fc.Arbitrary<unknown> = trees(leaf)

/** What has no JSON, and comes with structured clones: from threads. */
const cloned = fc.oneof(
  leaf,
  fc.constantFrom<unknown>(undefined, Number.NaN, Number.POSITIVE_INFINITY, 5n),
  fc
    .constantFrom<() => unknown>(
      () => new Date(0),
      () => new Map([['type', 'leave']]),
      () => new Set([1]),
      () => /x/,
      () => new Uint8Array(3),
      () => new Error('message'),
      () => Object('text'),
      // Arrays with holes.
      () => new Array(1),
      () => Object.assign([], { 2: 'x' }),
    )
    .map((make) => make()),
)

/** Any value that a thread can post. */
export const cloneableValue: fc.Arbitrary<unknown> = trees(cloned)

interface Step {
  readonly how: 'replace' | 'delete' | 'add'
  /** Chooses the place. */
  readonly at: number
  readonly key: string
  readonly value: unknown
}

function mutated(valid: fc.Arbitrary<unknown>, values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const step = fc.record<Step>({
    how: fc.constantFrom('replace', 'delete', 'add'),
    at: fc.nat(),
    key: keys,
    value: fc.oneof({ weight: 9, arbitrary: values }, { weight: 1, arbitrary: lists }),
  })
  return fc.tuple(valid, fc.array(step, { minLength: 1, maxLength: 3 })).map(([message, steps]) => {
    const root = { message: structuredClone(message) }
    for (const one of steps) take(root, one)
    return root.message
  })
}

/** Valid messages of which one to three members are replaced, deleted or added. */
export function mutatedJson(valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return mutated(valid, jsonValue)
}

/** The same with values that have no JSON. */
export function mutatedClone(valid: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return mutated(valid, cloneableValue)
}

function take(root: object, { at, how, key, value }: Step): void {
  const places = placesIn(root)
  const place = places[at % places.length]
  if (place === undefined) return
  const [holder, name] = place
  if (how === 'replace') define(holder, name, value)
  // An element leaves a hole: null in JSON.
  else if (how === 'delete') Reflect.deleteProperty(holder, name)
  else if (Array.isArray(holder)) holder.push(value)
  else if (holder !== root) define(holder, key, value)
}

function placesIn(holder: object): readonly (readonly [object, string])[] {
  return Object.keys(holder).flatMap((name) => {
    const value: unknown = Reflect.get(holder, name)
    return [[holder, name] as const, ...(hasPlaces(value) ? placesIn(value) : [])]
  })
}

/** Not a long list: most places would be there. */
function hasPlaces(value: unknown): value is object {
  if (Array.isArray(value)) return value.length <= 20
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Predicates for what a validator accepts, which share nothing with the validators. */
export function isWhole(value: unknown, low: number, high: number): boolean {
  return isNumber(value, low, high) && Math.trunc(value as number) === value
}

export function isNumber(value: unknown, low: number, high: number): boolean {
  return typeof value === 'number' && !(value < low) && !(value > high) && !Number.isNaN(value)
}

export function isText(value: unknown, longest: number): boolean {
  return typeof value === 'string' && !(value.length > longest)
}

/** An array without holes or other members, of at most `most` elements. */
export function isListOf(value: unknown, most: number, isElement: (one: unknown) => boolean): boolean {
  if (!Array.isArray(value) || value.length > most || Reflect.ownKeys(value).length !== value.length + 1) return false
  for (let index = 0; index < value.length; index++) if (!isElement(value[index])) return false
  return true
}

/** A plain object with these members and no other. A name that ends with `?` may be missing or undefined. */
export function hasMembers(value: unknown, members: Readonly<Record<string, (one: unknown) => boolean>>): boolean {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
  const names = Object.keys(members).map((name) => name.replace('?', ''))
  if (Reflect.ownKeys(value).some((key) => !names.includes(String(key)))) return false
  return Object.entries(members).every(([name, isRight]) => {
    const member: unknown = Reflect.get(value, name.replace('?', ''))
    return (member === undefined && name.endsWith('?')) || isRight(member)
  })
}

/** What became of the values of a property: it says something only where many were accepted, and many refused. */
export class Outcomes {
  accepted = 0
  refused = 0

  get fewest(): number {
    return Math.min(this.accepted, this.refused)
  }
}
