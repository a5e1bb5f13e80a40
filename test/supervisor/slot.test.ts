// A slot whose worker does not become the current one: what it waits for, and what not.
import { expect, test } from 'vitest'
import type { WorkerFailure } from '../../src/supervisor/errors.js'
import { type Leave, Slot, type SlotOwner } from '../../src/supervisor/slot.js'

const NEVER = new Promise<never>(() => {})

interface Told {
  readonly name: string
  readonly how: Leave | undefined
}

/** Workers that clients have reached, and that never end by themselves. */
function slotOf(outcomes: ('ready' | WorkerFailure)[]): { slot: Slot; left: Told[]; workers: { state: string }[] } {
  const left: Told[] = []
  const workers: { name: string; state: string; exited: Promise<never> }[] = []
  const owner = {
    launch() {
      const worker = { name: String(workers.length), state: 'ready', exited: NEVER }
      workers.push(worker)
      return worker
    },
    untilReady: async () => outcomes.shift() ?? 'ready',
    accepts: () => true,
    onReady() {},
    leave(worker: { name: string }, how?: Leave) {
      left.push({ name: worker.name, how })
      return NEVER
    },
  }
  return { slot: new Slot(0, owner as unknown as SlotOwner), left, workers }
}

const UNHEALTHY: WorkerFailure = { why: 'unhealthy', path: '/healthz', problem: 'was answered by 500', within: 4000 }

test('a supervisor that stops: the new worker drains while the slot goes on to its end', async () => {
  const { slot, left } = slotOf(['ready', { why: 'stopped' }])
  await slot.start()
  expect(await slot.replace()).toEqual({ failure: { why: 'stopped' } })
  expect(left).toEqual([{ name: '1', how: { waits: false } }])
})

test('the old worker has died meanwhile: the next one need not wait for the drain of one that failed', async () => {
  const { slot, left, workers } = slotOf(['ready', UNHEALTHY])
  await slot.start()
  const [old] = workers
  if (old !== undefined) old.state = 'gone'
  expect(await slot.replace()).toEqual({ failure: UNHEALTHY })
  expect(left).toEqual([{ name: '1', how: { waits: true } }])
})

test('the old worker serves: the new one that failed has drained before anything else begins', async () => {
  const { slot, left } = slotOf(['ready', UNHEALTHY])
  await slot.start()
  let isOver = false
  void slot.replace().then(() => {
    isOver = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(left).toEqual([{ name: '1', how: { waits: false } }])
  expect(isOver).toBe(false)
})
