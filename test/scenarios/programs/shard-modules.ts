/** What shards import: the modules of the seed that the address of this file names, like `shard-modules.ts?seed=7`. */
import { randomModules } from './random-modules.ts'

const modules = randomModules(Number(new URL(import.meta.url).searchParams.get('seed')))

/** An import is searched for modules by name and version: each is an export of its own. */
export const [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14] = modules
