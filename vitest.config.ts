import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Where the processes of tests tell what they ran: scripts/coverage.mjs.
const told = process.env['REUSEPORT_COVERAGE']
const preload = fileURLToPath(new URL('scripts/coverage-preload.cjs', import.meta.url))

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // Tests here start processes of their own, and machines with 2 cores must do.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Three processes that start may need more than the second that is vitest's own.
    expect: { poll: { timeout: 10_000 } },
    setupFiles: told === undefined ? [] : ['./scripts/coverage-setup.mjs'],
    env: told === undefined ? {} : { NODE_V8_COVERAGE: told, NODE_OPTIONS: `--require ${preload}` },
    server: { deps: { external: told === undefined ? [] : [/\/dist\//] } },
    coverage: {
      provider: 'v8',
      include: ['src/**'],
      reporter: ['json'],
      reportOnFailure: true,
    },
  },
})
