import { beforeEach, expect, test, vi } from 'vitest'
import type { SystemFailure } from '../../src/common/errors.js'
import { failure } from '../support/answering-addon.js'

/** A kernel that answers like this. */
function kernel(detached: undefined | SystemFailure, opened: number | SystemFailure = 7) {
  return { openSocket: vi.fn(() => opened), detachProgram: vi.fn(() => detached), close: vi.fn() }
}

beforeEach(() => vi.resetModules())

test('a kernel that can: asked once', async () => {
  const { whyProgramsStay } = await import('../../src/system/program-removal.js')
  const addon = kernel(undefined)
  for (let turn = 0; turn < 2; turn++) expect(whyProgramsStay(addon)).toBeUndefined()
  expect(addon.openSocket).toHaveBeenCalledTimes(1)
  expect(addon.close).toHaveBeenCalledWith(7)
})

test('Linux before 5.3', async () => {
  const { whyProgramsStay } = await import('../../src/system/program-removal.js')
  const addon = kernel(failure('ENOPROTOOPT', 'setsockopt'))
  for (let turn = 0; turn < 2; turn++) expect(whyProgramsStay(addon)).toMatch(/needs Linux 5.3 .*ENOPROTOOPT/)
  expect(addon.openSocket).toHaveBeenCalledTimes(1)
  expect(addon.close).toHaveBeenCalledTimes(1)
})

test('what fails for another reason is no answer of the kernel, or none for ever', async () => {
  const { whyProgramsStay } = await import('../../src/system/program-removal.js')
  expect(whyProgramsStay(kernel(undefined, failure('EMFILE', 'socket')))).toBeUndefined()
  expect(whyProgramsStay(kernel(failure('ENOPROTOOPT', 'setsockopt')))).toBeDefined()
})

test('there no program is attached to learn slots', async () => {
  const { learnSlots } = await import('../../src/steering/steering.js')
  const addon = { ...kernel(failure('ENOPROTOOPT', 'setsockopt')), learnSlots: vi.fn() }
  expect(() => learnSlots({ addon } as never, [1], 2)).toThrow(/needs Linux 5.3/)
  expect(addon.learnSlots).not.toHaveBeenCalled()
})
