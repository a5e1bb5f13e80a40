// Members named by a policy are looked for in slices: between two of them the event loop runs.

import { fstatSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Member } from '../../src/group/member.js'
import type { BoundSocket } from '../../src/group/socket-table.js'
import type { Addon } from '../../src/native/addon-contract.js'
import { inodesOf, slotsOf } from '../../src/steering/named-members.js'
import { answering, boundSocket, failure } from '../support/answering-addon.js'
import { openListener } from '../support/native.js'

const MANY = 200

/** How often the event loop has gone round. */
let turns = 0
let counting: NodeJS.Immediate

beforeEach(() => {
  const count = (): void => {
    turns++
    counting = setImmediate(count)
  }
  counting = setImmediate(count)
})

afterEach(() => clearImmediate(counting))

const members: readonly BoundSocket[] = Array.from({ length: MANY }, (_, at) => boundSocket({ inode: 1000 + at }))
const inodes = members.map(({ inode }) => inode)

/** In how many calls of each turn. */
function mostInATurn(called: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const turn of called) counts.set(turn, (counts.get(turn) ?? 0) + 1)
  return Math.max(...counts.values())
}

test('by pid: each process is searched once, few in a turn', async () => {
  const searched: number[] = []
  const heldBy: Addon['heldBy'] = (pid) => {
    searched.push(turns)
    return Float64Array.of(1000 + pid)
  }
  const names = Array.from({ length: MANY }, (_, at) => ({ pid: 1 + (at % 100) }))
  const found = await inodesOf(answering({ heldBy }), members, [...names, { inode: 1007 }, { inode: 7 }, { slot: 3 }])
  expect(found.slice(0, 2)).toEqual([[1001], [1002]])
  expect(found.slice(-3)).toEqual([[1007], [], []])
  expect(searched).toHaveLength(100)
  expect(mostInATurn(searched)).toBeLessThanOrEqual(4)
})

/** A listening member of this process, through which the others are steered. */
function withMember(
  answers: (taken: number[]) => Partial<Addon>,
  act: (member: Member) => Promise<void>,
): Promise<void> {
  const taken: number[] = []
  const real = answering({})
  const fd = openListener(real, { family: 4, address: '127.0.0.1', port: 0 }) as number
  const addon = answering({
    findHolders: (wanted) => Float64Array.from([...wanted].flatMap((inode) => [1, inode])),
    close: () => undefined,
    detachProgram: () => undefined,
    ...answers(taken),
  })
  const socket = boundSocket({ inode: fstatSync(fd).ino })
  return act({ addon, fd, socket }).finally(() => real.close(fd))
}

test('by inode: the processes are searched once, few sockets are taken and few slots learnt in a turn', async () => {
  const searched: number[] = []
  const took: number[] = []
  const learnt: number[] = []
  const closed = new Set<number>()
  const answers = (): Partial<Addon> => ({
    findHolders: (wanted) => {
      searched.push(turns)
      return Float64Array.from([...wanted].flatMap((inode) => [1, inode]))
    },
    takeSocket: (_pid, inode) => {
      took.push(turns)
      return 1e6 + inode
    },
    close: (fd) => void (fd >= 1e6 && closed.add(fd)),
    learnSlots: (fds) => {
      learnt.push(turns)
      expect(fds.length).toBeLessThanOrEqual(64)
      return [...fds].map((fd) => fd - 1e6 - 1000)
    },
  })
  await withMember(answers, async (member) => {
    expect(await slotsOf(member, members, inodes)).toEqual([...members.keys()])
  })
  expect(searched).toHaveLength(1)
  expect(took).toHaveLength(MANY)
  expect(mostInATurn(took)).toBeLessThanOrEqual(4)
  expect(mostInATurn(learnt)).toBe(1)
  expect(closed.size).toBe(MANY)
})

test('a slot that stays unknown, a socket that cannot be taken, and a server that closes meanwhile: nothing stays taken', async () => {
  let [open, calls] = [0, 0]
  const counted: Partial<Addon> = {
    takeSocket: (_pid, inode) => {
      open++
      return 1e6 + inode
    },
    close: (fd) => void (fd >= 1e6 && open--),
    learnSlots: (fds) => [...fds].map((fd) => (fd === 1e6 + 1070 ? -1 : 0)),
  }
  await withMember(
    () => counted,
    async (member) => {
      const unknown = 'the slot of the socket with inode 1070 could not be determined'
      await expect(slotsOf(member, members, inodes)).rejects.toThrow(unknown)
      expect(open).toBe(0)
      const addon = answering({
        ...member.addon,
        takeSocket: (...args) =>
          ++calls === 7 ? failure('EPERM', 'pidfd_getfd') : (counted.takeSocket?.(...args) ?? 0),
      })
      await expect(slotsOf({ ...member, addon }, members, inodes)).rejects.toThrow('EPERM')
      expect(open).toBe(0)
      const left = slotsOf({ ...member, fd: 1 << 20 }, members, inodes)
      await expect(left).rejects.toThrow('the server has left its group in the meantime')
      expect(open).toBe(0)
    },
  )
})
