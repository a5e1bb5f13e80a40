// A descriptor that another thread may have closed: the duplicate is of the file that is meant, or there is none.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { duplicateOf } from '../../src/native/duplicate-for.js'
import { answering, failure } from '../support/answering-addon.js'

const addon = answering({})

test('only of the file that is meant, and nothing of another stays open', () => {
  const fd = openSync('/dev/null', 'r')
  const { ino } = fstatSync(fd)
  const copy = duplicateOf(addon, fd, ino) as number
  expect(fstatSync(copy).ino).toBe(ino)
  addon.close(copy)
  const closed: number[] = []
  const watched = answering({
    close: (one) => {
      closed.push(one)
      return addon.close(one)
    },
  })
  expect(duplicateOf(watched, fd, ino + 1)).toBeUndefined()
  expect(closed).toHaveLength(1)
  expect(() => fstatSync(closed[0] as number)).toThrow('EBADF')
  // Where no other thread knows the descriptor, nothing is compared.
  const other = duplicateOf(addon, fd, undefined) as number
  expect(fstatSync(other).ino).toBe(ino)
  addon.close(other)
  closeSync(fd)
})

test('a closed descriptor is none where another thread may have closed it; every other failure is told', () => {
  expect(duplicateOf(addon, 1_000_000, 1)).toBeUndefined()
  expect(duplicateOf(addon, 1_000_000, undefined)).toEqual(failure('EBADF', 'fcntl'))
  const full = answering({ duplicate: () => failure('EMFILE', 'fcntl') })
  expect(duplicateOf(full, 0, 1)).toEqual(failure('EMFILE', 'fcntl'))
})
