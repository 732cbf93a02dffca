import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { V8_FLAGS } from '../v8-flags.ts'

/**
 * The vitest config for plugins. In vitest.config.ts:
 *
 *     export { default } from 'deaios/testing/vitest'
 *
 * or `mergeConfig(deaios, { ... })` to add to it.
 */
export default defineConfig({
  // Vite's own `development` condition loads graphql/__dev__, a second copy of graphql.
  ssr: { resolve: { conditions: ['module-sync', 'node'] } },
  test: {
    // One Postgres for all workers, started when the first test asks for it.
    globalSetup: [fileURLToPath(new URL(`./vitest-setup${extname(import.meta.filename)}`, import.meta.url))],
    pool: 'forks',
    execArgv: [...V8_FLAGS],
    // These end what hangs, and measure nothing: a machine that does much else takes ten times as long as one that does not.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // A wait ends when it is true; a second, vitest's own, is too short on a busy machine.
    expect: { poll: { timeout: 60_000 } },
  },
})
