import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { outage } from './outage.ts'

describe('a database that goes away', () => {
  atReducedCount(outage)
})
