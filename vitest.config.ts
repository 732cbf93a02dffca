import { mergeConfig } from 'vitest/config'
import forPlugins from './server/testing/vitest.ts'

export default mergeConfig(forPlugins, {
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', '.deaios/**', 'dist/**'],
    maxWorkers: 2,
  },
})
