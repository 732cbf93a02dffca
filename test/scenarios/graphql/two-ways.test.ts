import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { twoWays } from './two-ways.ts'

describe('the edge', () => {
  atReducedCount(twoWays)
})
