// Pure: which member has which clients. A client belongs to a bucket, and each bucket to a slot.

/** The number of buckets; a group has no more members than that. A member's share is exact to one bucket. */
export const BUCKETS = 512

/**
 * The slot of each bucket, for so many members. The shares of two members differ by at most one bucket. One member more
 * takes its own share, `BUCKETS / members`, from those that have most, and no other bucket changes its slot.
 */
export function slotsOfBuckets(members: number): readonly number[] {
  const buckets: number[][] = [Array.from({ length: BUCKETS }, (_, bucket) => bucket)]
  for (let count = 2; count <= members; count++) {
    const own: number[] = []
    for (let left = Math.floor(BUCKETS / count); left > 0; left--) {
      // The last bucket of its list, so that what is next to each other mostly stays so: the program then is shorter.
      own.push(buckets.reduce((most, one) => (one.length > most.length ? one : most)).pop() as number)
    }
    buckets.push(own)
  }
  const slots = new Array<number>(BUCKETS)
  for (const [slot, own] of buckets.entries()) for (const bucket of own) slots[bucket] = slot
  return slots
}

/**
 * As `slotsOfBuckets` for the members that stay. When one leaves, the kernel moves the last member to its slot: the
 * buckets that belong to a slot afterwards already go to the member that will be in it, so clients move only once.
 */
export function slotsWithout(members: number, leaving: readonly number[]): readonly number[] {
  const left = members - leaving.length
  const moving = Array.from({ length: leaving.length }, (_, at) => left + at).filter((slot) => !leaving.includes(slot))
  const before = new Map(leaving.filter((slot) => slot < left).map((slot, at) => [slot, moving[at] as number]))
  return slotsOfBuckets(left).map((slot) => before.get(slot) ?? slot)
}
