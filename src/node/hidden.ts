/** The property behind an own symbol of the object that has this description. */
export function hidden(object: object, description: string): unknown {
  const symbol = Object.getOwnPropertySymbols(object).find((candidate) => candidate.description === description)
  return symbol === undefined ? undefined : Reflect.get(object, symbol)
}
