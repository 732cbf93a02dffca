import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { failover } from './failover.ts'

describe('two nodes on one database', () => {
  atReducedCount(failover)
})
