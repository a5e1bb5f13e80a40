// Pure: what becomes of a socket of the register when somebody no longer accepts from it.
import type { Action, SocketEntry, WorkerEntry } from './register-entries.js'

/**
 * @param how Whether a worker that has handed the socket over may get it back.
 * @returns what has to be done first; `'gone'` where nobody accepts from the socket, or will.
 */
export function settle(
  socket: SocketEntry,
  workers: ReadonlyMap<string, WorkerEntry>,
  how: 'gives back' | 'closes',
): readonly Action[] | 'gone' {
  const { accepting, before, id, isGiven, isKept, offered } = socket
  if (isGiven || accepting.size > 0) return []
  const holders = [...offered].flatMap((name) => {
    const worker = workers.get(name)
    return worker === undefined ? [] : [{ name, worker }]
  })
  // One that starts may take it until it is ready.
  if (holders.some(({ worker }) => worker.state === 'starting')) return []
  const asked = holders.filter(({ worker }) => !worker.asked.has(id))
  for (const { worker } of asked) worker.asked.add(id)
  if (holders.length > 0) return asked.map(({ name }) => ({ type: 'release', worker: name, ids: [id] }))
  const drains = (name: string | undefined): boolean => {
    const worker = workers.get(name ?? '')
    return worker?.isConnected === true && !worker.hasDrained
  }
  if (drains(socket.goesBackTo)) return []
  const last = how === 'gives back' && isKept ? [...before].reverse().find(drains) : undefined
  socket.goesBackTo = last
  return last === undefined ? 'gone' : [{ type: 'give-back', worker: last, id }]
}
