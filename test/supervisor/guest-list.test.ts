// Who has which socket, for any sequence of starts, ends, reloads and refusals.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  GUESTS,
  type GuestAction,
  GuestList,
  LONGEST_REST,
  type QueueState,
  REST,
} from '../../src/supervisor/guest-list.js'

const place = 'here'

function queue(slot: number, owners: readonly string[] = [`w${slot}`], more: Partial<QueueState> = {}): QueueState {
  return { id: `q${slot}`, place, slot, owners, isOpen: true, ...more }
}

const queues = (count: number): QueueState[] => Array.from({ length: count }, (_, slot) => queue(slot))
const hostsOf = (all: readonly QueueState[]): Set<string> => new Set(all.flatMap(({ owners }) => owners))
const text = ({ type, worker, id }: GuestAction): string => `${type} ${worker} ${id}`

/** All that are asked do so. */
function settle(list: GuestList, all: readonly QueueState[], hosts = hostsOf(all), now = 0): string[] {
  const { actions } = list.look(all, hosts, now)
  for (const { type, worker, id } of actions) {
    if (type === 'join') list.joined(worker, id, true, now)
    else list.parted(worker, id)
  }
  return actions.map(text)
}

describe('the guests of a queue', () => {
  test('are the workers of the next slots, around', () => {
    const list = new GuestList()
    expect(settle(list, queues(6)).filter((action) => action.endsWith('q4'))).toEqual([
      'join w5 q4',
      'join w0 q4',
      'join w1 q4',
    ])
    expect(settle(list, queues(6))).toEqual([])
  })

  test('are those of its own place that are ready, not its owner, and none of a queue that is closed to them', () => {
    const list = new GuestList()
    const all = [
      queue(0),
      queue(1, ['w1', 'w0']),
      queue(2, ['w2'], { place: 'there' }),
      queue(3),
      queue(4, ['w4'], { isOpen: false }),
    ]
    const hosts = new Set(['w0', 'w1', 'w2', 'w4'])
    expect(settle(list, all, hosts)).toEqual([
      'join w1 q0',
      'join w4 q0',
      'join w4 q1',
      'join w4 q3',
      'join w0 q3',
      'join w1 q3',
    ])
  })

  test('of a dead worker stay, and go to its successor as the owner', () => {
    const list = new GuestList()
    const all = queues(3)
    settle(list, all)
    const dead = [all[0], all[1], queue(2, [])] as QueueState[]
    list.gone('w2')
    expect(settle(list, dead)).toEqual([])
    expect(list.of('q2')).toEqual(['w0', 'w1'])
    expect(settle(list, [all[0], all[1], queue(2, ['w9'])] as QueueState[])).toEqual(['join w9 q0', 'join w9 q1'])
  })

  test('part where nearer ones come, and where the socket leaves', () => {
    const list = new GuestList()
    const far = [queue(0), queue(10), queue(20), queue(30)]
    settle(list, far)
    expect(settle(list, [...far, queue(5)]).filter((action) => action.endsWith('q0'))).toEqual([
      'part w30 q0',
      'join w5 q0',
    ])
    expect(list.removed('q0').map(text).sort()).toEqual(['part w10 q0', 'part w20 q0', 'part w5 q0'])
    expect(list.removed('q0')).toEqual([])
    expect(list.of('q0').length).toBe(3)
    for (const worker of ['w5', 'w10', 'w20']) list.parted(worker, 'q0')
    expect(list.of('q0')).toEqual([])
  })
})

describe('a worker that refuses', () => {
  test('is asked again after a rest, which doubles up to its longest, and begins anew after it has joined', () => {
    const list = new GuestList()
    const all = queues(2)
    const hosts = new Set(['w1'])
    let now = 0
    const rests: number[] = []
    for (let times = 0; times < 9; times++) {
      expect(list.look(all, hosts, now).actions.map(text)).toEqual(['join w1 q0'])
      list.joined('w1', 'q0', false, now)
      expect(list.has('w1', 'q0')).toBe(false)
      const { actions, next } = list.look(all, hosts, now)
      expect(actions).toEqual([])
      rests.push(next ?? 0)
      now += next ?? 0
    }
    expect([rests[0], rests[1], rests.at(-1)]).toEqual([REST, 2 * REST, LONGEST_REST])
    list.look(all, hosts, now)
    list.joined('w1', 'q0', true, now)
    list.removed('q0')
    list.parted('w1', 'q0')
    list.look(all, hosts, now)
    list.joined('w1', 'q0', false, now)
    expect(list.look(all, hosts, now).next).toBe(REST)
  })

  test('while it is told to part is forgotten', () => {
    const list = new GuestList()
    list.look(queues(2), new Set(['w1']), 0)
    expect(list.removed('q0').map(text)).toEqual(['part w1 q0'])
    list.joined('w1', 'q0', false, 0)
    expect(list.of('q0')).toEqual([])
  })

  test('answers that nobody waits for change nothing', () => {
    const list = new GuestList()
    list.joined('w1', 'q0', true, 0)
    list.parted('w1', 'q0')
    list.gone('w1')
    expect([list.of('q0'), list.removed('q0')]).toEqual([[], []])
  })
})

test('no queue has more guests than it may, no owner is the guest of its own, and everybody agrees in the end', () => {
  const event = fc.record({
    what: fc.constantFrom('start', 'end', 'reload', 'refuse', 'close', 'answer'),
    slot: fc.nat(7),
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const list = new GuestList()
      const owners = new Map<number, string[]>()
      const closed = new Set<number>()
      const has = new Set<string>()
      const open: GuestAction[] = []
      let [now, names] = [0, 0]
      const all = (): QueueState[] =>
        [...owners].map(([slot, names]) => queue(slot, names, { isOpen: !closed.has(slot) }))
      const look = (): void => void open.push(...list.look(all(), hostsOf(all()), now).actions)
      const answer = (isTaken: boolean): void => {
        const action = open.shift()
        if (action === undefined) return
        const { type, worker, id } = action
        const pair = `${worker} ${id}`
        // A worker that has ended answers nothing.
        if (!hostsOf(all()).has(worker)) return
        if (type === 'join' && isTaken) has.add(pair)
        else has.delete(pair)
        if (type === 'join') list.joined(worker, id, isTaken, now)
        else list.parted(worker, id)
      }
      for (const { what, slot } of events) {
        now += 300
        if (what === 'start')
          owners.set(slot, owners.get(slot)?.length ? (owners.get(slot) as string[]) : [`n${names++}`])
        const before = owners.get(slot) ?? []
        const ends = what === 'end' ? before : what === 'reload' ? before.slice(0, -1) : []
        if (what === 'reload' && before.length > 0) owners.set(slot, [...before.slice(-1), `n${names++}`])
        if (what === 'close') closed.add(slot)
        for (const name of ends) {
          list.gone(name)
          for (const pair of [...has]) if (pair.startsWith(`${name} `)) has.delete(pair)
        }
        if (what === 'end' && owners.has(slot)) owners.set(slot, [])
        if (what === 'refuse') answer(false)
        if (what === 'answer') answer(true)
        look()
        for (const { id, owners } of all()) {
          const guests = list.of(id)
          expect(new Set(guests).size).toBe(guests.length)
          const asked = open.filter((one) => one.id === id && one.type === 'part').length
          expect(guests.length - asked).toBeLessThanOrEqual(GUESTS + 2 * owners.length)
        }
      }
      for (let round = 0; round < 20; round++) {
        while (open.length > 0) answer(true)
        now += LONGEST_REST
        look()
      }
      expect(open).toEqual([])
      for (const { id, owners, isOpen } of all()) {
        const guests = list.of(id)
        expect(guests.some((name) => owners.includes(name))).toBe(false)
        const others = [...hostsOf(all())].filter((name) => !owners.includes(name))
        expect(guests.length).toBe(isOpen ? Math.min(GUESTS, others.length) : 0)
        expect(guests.filter((name) => !has.has(`${name} ${id}`))).toEqual([])
      }
    }),
    { numRuns: 300 },
  )
})
