import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { fuzz } from './fuzz.ts'

describe('a ledger', () => {
  atReducedCount(fuzz)
})
