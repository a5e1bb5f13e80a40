import { loadTool, measure } from '../load.js'
import { now } from './clock.js'
import { processorTime } from './processor-time.js'
import { can, Servers } from './servers.js'

/** @type {import('./plan.js').Part} */
export const cheap = {
  name: 'cheap',
  title: () => `Cheap requests at full load, a connection per request, by ${loadTool}`,
  compared: ['rate', 'micros'],
  ways: ['hash', 'joins'],
  columns: [
    { value: 'rate', heading: 'req/s' },
    { value: 'micros', heading: 'µs/req', digits: 1 },
    { value: 'parent', heading: 'parent %', digits: 2 },
  ],
  note: `µs/req: processor time of the workers. parent: of a CPU, that of the supervisor.${
    can.join ? '' : '\n  There is no --no-join yet: both are the same, and show the noise.'
  }`,
  extent: (quick) => (quick ? { rounds: 2, seconds: 1.7 } : { rounds: 7, seconds: 4.3 }),
  async measure({ way, workers, quick }) {
    const servers = await Servers.start(way, workers)
    try {
      const setting = { seconds: quick ? 1 : 2, keepAlive: false }
      if (!quick) await measure(servers.port, { ...setting, seconds: 1 })
      const pids = servers.links.all.map(({ pid }) => pid)
      const [begun, own, parent] = [now(), processorTime(pids), processorTime([servers.parent])]
      const rate = await measure(servers.port, setting)
      const elapsed = (now() - begun) / 1000
      const micros = ((processorTime(pids) - own) * 1e6) / (rate * setting.seconds)
      const share = (100 * (processorTime([servers.parent]) - parent)) / elapsed
      return [{ values: { rate, micros, parent: share } }]
    } finally {
      await servers.end()
    }
  },
}
