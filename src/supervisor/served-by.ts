// Pure: the generations of the workers, as the part of a sentence.

interface Serving {
  readonly slot: number
  /** Undefined where the worker of the slot has ended. */
  readonly generation: number | undefined
}

/** Such as 'worker 0 serves generation 2, workers 1 to 3 generation 1'. */
export function servedBy(workers: readonly Serving[]): string {
  const generations = new Map<number | undefined, number[]>()
  for (const { generation, slot } of workers) {
    generations.set(generation, [...(generations.get(generation) ?? []), slot])
  }
  const ended = generations.get(undefined)
  generations.delete(undefined)
  const texts = [...generations].map(([generation, slots], index) => {
    const verb = index > 0 ? '' : slots.length === 1 ? ' serves' : ' serve'
    return `${named(slots)}${verb} generation ${generation}`
  })
  if (ended !== undefined) texts.push(`${named(ended)} ended`)
  return texts.join(', ')
}

function named(slots: readonly number[]): string {
  const ranges: [first: number, last: number][] = []
  for (const slot of slots) {
    const range = ranges.at(-1)
    if (range !== undefined && range[1] === slot - 1) range[1] = slot
    else ranges.push([slot, slot])
  }
  const texts = ranges.map(([first, last]) => {
    if (first === last) return `${first}`
    return last === first + 1 ? `${first}, ${last}` : `${first} to ${last}`
  })
  return `${slots.length === 1 ? 'worker' : 'workers'} ${texts.join(', ')}`
}
