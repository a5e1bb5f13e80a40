// The managers that are compared.
import { prepareNginx, startNginx } from './nginx.js'
import { preparePm2, startPm2 } from './pm2.js'
import { startCluster, startOurs } from './starters.js'
import { prepareWatt, startWatt } from './watt.js'

/** @type {Readonly<Record<string, import('../common/benchmark.js').Competitor & { start: import('./manager.js').Starter }>>} */
export const MANAGERS = {
  ours: { label: 'reuseport run -n 2', start: startOurs },
  pm2: { label: 'pm2, cluster mode', prepare: preparePm2, start: startPm2 },
  'cluster-rr': { label: 'cluster, round robin', start: startCluster('rr') },
  'cluster-shared': { label: 'cluster, shared handle', start: startCluster('none') },
  watt: { label: 'Platformatic Watt', prepare: prepareWatt, start: startWatt },
  nginx: { label: 'nginx', prepare: prepareNginx, start: startNginx },
}
