// The kinds of program whose workers the soak test of reloads replaces.
import { fileURLToPath } from 'node:url'

/** @typedef {{ script: string, client: string, control: { name: string, script: string, args: readonly string[], execArgv: readonly string[] } }} Program */

/** @type {(name: string) => string} */
const at = (name) => fileURLToPath(new URL(name, import.meta.url))

const HTTP = {
  client: at('./http-client.js'),
  control: { name: 'server.close()', script: at('./close-server.js'), args: [], execArgv: [] },
}

/** @type {Readonly<Record<string, Program>>} */
export const PROGRAMS = {
  plain: { script: at('./http-server.js'), ...HTTP },
  'detect-port': { script: at('./detect-port-server.js'), ...HTTP },
  graceful: { script: at('./graceful-server.js'), ...HTTP },
  grpc: {
    script: at('./grpc-server.js'),
    client: at('./grpc-client.js'),
    control: {
      name: 'server.tryShutdown()',
      script: at('./grpc-server.js'),
      args: ['control'],
      // gRPC has no `reusePort`.
      execArgv: ['--import', import.meta.resolve('reuseport/register')],
    },
  },
}
