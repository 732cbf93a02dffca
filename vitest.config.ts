import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Vite's own `development` condition loads graphql/__dev__, a second copy of graphql.
  ssr: { resolve: { conditions: ['module-sync', 'node'] } },
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', '.deaios/**', 'dist/**'],
    // One Postgres for all workers, started when the first test asks for it.
    globalSetup: ['./server/testing/vitest-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
