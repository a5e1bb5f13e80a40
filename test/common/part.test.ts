import { expect, test } from 'vitest'
import { loadParts, part } from '../../src/common/part.js'

/** A part that counts how often it is loaded. */
function counted(fails = 0): {
  readonly loads: () => number
  readonly name: ReturnType<typeof part<{ name: string }>>
} {
  let loads = 0
  const name = part(async () => {
    loads++
    if (loads <= fails) throw new Error('no file')
    return { name: 'part' }
  })
  return { loads: () => loads, name }
}

const use = async ({ name }: { name: string }): Promise<string> => name

test('a part is loaded by the first call that needs it, and by no other', async () => {
  const { loads, name } = counted()
  expect(loads()).toBe(0)
  expect(await name.use(use)).toBe('part')
  expect(await name.use(use)).toBe('part')
  expect(loads()).toBe(1)
})

test('once it is loaded, a call is made at once', async () => {
  const { name } = counted()
  await name.use(use)
  let isCalled = false
  const called = name.use(async () => {
    isCalled = true
  })
  expect(isCalled).toBe(true)
  await called
})

test('a process that listens loads all parts, and a failure harms nobody', async () => {
  const [good, bad] = [counted(), counted(1)]
  loadParts()
  expect(good.loads()).toBe(0)
  await expect.poll(() => [good.loads(), bad.loads()]).toEqual([1, 1])
  await expect(bad.name.use(use)).resolves.toBe('part')
})
