/** The property behind an own symbol of the object that has this description. */
export function hidden(object: object, description: string): unknown {
  const symbol = Object.getOwnPropertySymbols(object).find((candidate) => candidate.description === description)
  return symbol === undefined ? undefined : Reflect.get(object, symbol)
}

/** The values of a set or map of Node's, none of which is an instance of Set or Map; undefined where it is no such thing. */
export function valuesOf(collection: unknown): readonly unknown[] | undefined {
  if (typeof collection !== 'object' || collection === null || !('forEach' in collection)) return undefined
  const { forEach } = collection
  if (typeof forEach !== 'function') return undefined
  const values: unknown[] = []
  Reflect.apply(forEach, collection, [(value: unknown) => values.push(value)])
  return values
}
