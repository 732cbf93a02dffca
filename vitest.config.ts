import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import forPlugins from './server/testing/vitest.ts'

export default mergeConfig(forPlugins, {
  // An example that is built on another: in a project of its own the package is installed.
  resolve: { alias: { 'deaios-journal': fileURLToPath(new URL('./examples/journal/src/index.ts', import.meta.url)) } },
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', '.deaios/**', 'dist/**', '.vitest/**'],
    // Tests wait half of their time: for root blocks, for processes that start, for the disk.
    maxWorkers: 3,
  },
})
