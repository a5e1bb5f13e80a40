// Who else holds a socket: a child of this process has all its descriptors for a moment, and is no holder.
import process from 'node:process'
import { expect, test, vi } from 'vitest'
import { otherHolder } from '../../src/group/holders.js'
import { answering } from '../support/answering-addon.js'

/** Finds these pairs of pid and inode, and later only that `later` hold them. */
function finding(pairs: readonly (readonly [number, number])[], later: readonly number[]) {
  const findHolders = vi.fn(() => Float64Array.from(pairs.flat()))
  const heldBy = (pid: number): Float64Array =>
    Float64Array.from(later.includes(pid) ? pairs.flatMap(([holder, inode]) => (holder === pid ? [inode] : [])) : [])
  return { addon: answering({ findHolders, heldBy }), findHolders }
}

test('whoever holds it at a second look is one; a child that has executed its program by then is none', async () => {
  const pairs = [[11, 100] as const, [12, 101] as const, [12, 102] as const]
  const { addon, findHolders } = finding(pairs, [12])
  const all = await Promise.all([100, 101, 102, 103].map((inode) => otherHolder(addon, inode)))
  expect(all).toEqual([undefined, 12, 12, undefined])
  // One search for all that ask in one turn.
  expect(findHolders.mock.calls).toEqual([
    [Float64Array.of(100, 101, 102, 103), Float64Array.of(process.pid, process.pid)],
  ])
})

test('where nobody does, one look is enough', async () => {
  const heldBy = vi.fn()
  expect(await otherHolder(answering({ findHolders: () => new Float64Array(), heldBy }), 100, 1)).toBeUndefined()
  expect(heldBy).not.toHaveBeenCalled()
})
