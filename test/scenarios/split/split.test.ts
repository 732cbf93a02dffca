import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { splitCrash } from './crash.ts'
import { splitKill } from './kill.ts'
import { splitLoad } from './load.ts'

describe('a split', () => {
  atReducedCount(splitLoad)
  atReducedCount(splitCrash)
  atReducedCount(splitKill)
})
