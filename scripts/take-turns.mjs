/**
 * Runs `work` on each item, on at most `atATime` items at once.
 *
 * @type {<Item>(items: Iterable<Item>, atATime: number, work: (item: Item) => Promise<void>) => Promise<void>}
 */
export async function takeTurns(items, atATime, work) {
  const waiting = [...items]
  async function takeOne() {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atATime }, takeOne))
}
