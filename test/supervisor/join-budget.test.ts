import { expect, test } from 'vitest'
import { JOINS_PER_SECOND, JoinBudget } from '../../src/supervisor/join-budget.js'

test('a budget that is full asks for no patience, and joins make joins dearer', () => {
  const budget = new JoinBudget(2)
  expect(budget.patience(1, 0)).toBe(0)
  for (let joins = 0; joins < 10; joins++) budget.pay(0)
  expect(budget.patience(1, 0)).toBe(0)
  budget.pay(0)
  const dear = budget.patience(1, 0)
  expect(dear).toBeGreaterThan(0)
  for (let joins = 0; joins < 20; joins++) budget.pay(0)
  expect(budget.patience(1, 0)).toBe(32)
  expect(budget.turns).toBe(31)
})

test('it fills with time, for each CPU', () => {
  const [one, four] = [new JoinBudget(1), new JoinBudget(4)]
  for (let joins = 0; joins < 100; joins++) for (const budget of [one, four]) budget.pay(0)
  expect([one.patience(1, 500), four.patience(1, 500)]).toEqual([16, 16])
  expect([one.patience(1, 1000), four.patience(1, 1000)]).toEqual([0, 0])
  // Time that goes back adds nothing.
  one.pay(1000)
  expect(one.patience(1, 900)).toBe(one.patience(1, 1000))
})

test('what is given back is there again, and never more than a full budget', () => {
  const budget = new JoinBudget(1)
  for (let joins = 0; joins < 10; joins++) budget.pay(0)
  expect(budget.patience(1, 0)).toBe(32)
  budget.giveBack(5)
  expect(budget.patience(1, 0)).toBe(0)
  budget.giveBack(100)
  for (let joins = 0; joins < 10; joins++) budget.pay(0)
  expect(budget.patience(1, 0)).toBe(32)
})

test('reports are paid too', () => {
  const budget = new JoinBudget(1)
  for (let reports = 0; reports < 30; reports++) budget.reported(0)
  expect(budget.patience(1, 0)).toBeGreaterThan(0)
})

test('what is dear takes more patience where there are many queues for a CPU', () => {
  const budget = new JoinBudget(2)
  expect(budget.patience(64, 0)).toBe(0)
  for (let joins = 0; joins < 40; joins++) budget.pay(0)
  expect([1, 8, 16, 10_000].map((queues) => budget.patience(queues, 0))).toEqual([32, 32, 64, 1000])
})

test('no more than so many joins in any second', () => {
  const budget = new JoinBudget(64)
  for (let joins = 0; joins < JOINS_PER_SECOND; joins++) {
    expect(budget.mayJoin(joins)).toBe(true)
    budget.pay(joins)
  }
  expect([budget.mayJoin(999), budget.mayJoin(1000)]).toEqual([false, true])
})
