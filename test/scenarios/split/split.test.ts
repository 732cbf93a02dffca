import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { splitCrash } from './crash.ts'
import { splitLoad } from './load.ts'

describe('a split', () => {
  atReducedCount(splitLoad)
  atReducedCount(splitCrash)
})
