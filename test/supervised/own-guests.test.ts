import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { OwnGuests } from '../../src/supervised/own-guests.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function asking(): { readonly guests: OwnGuests; readonly sent: unknown[]; readonly parted: string[] } {
  const sent: unknown[] = []
  const parted: string[] = []
  const guests = new OwnGuests((message) => sent.push(message))
  for (const id of ['a', 'b']) void guests.part(id).then(() => parted.push(id))
  return { guests, sent, parted }
}

test('each socket is asked for, and waits for its own answer', async () => {
  const { guests, sent, parted } = asking()
  expect(sent).toEqual([
    { type: 'drains', id: 'a' },
    { type: 'drains', id: 'b' },
  ])
  guests.parted('b')
  guests.parted('b')
  guests.parted('c')
  await vi.advanceTimersByTimeAsync(1999)
  expect(parted).toEqual(['b'])
  guests.parted('a')
  await vi.advanceTimersByTimeAsync(0)
  expect([parted, vi.getTimerCount()]).toEqual([['b', 'a'], 0])
})

test('without an answer it waits for 2 s', async () => {
  const { parted } = asking()
  await vi.advanceTimersByTimeAsync(2000)
  expect(parted).toEqual(['a', 'b'])
})
