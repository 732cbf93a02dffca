import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** The version of what server/plugin.ts offers. A plugin's `api` is a range of it. */
export const API_VERSION = '1.0.0'

/** The version of this package. */
export const SERVER_VERSION: string = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))).version
