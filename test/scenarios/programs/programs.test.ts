import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { programs } from './programs.ts'

describe('modules that nobody wrote', () => {
  atReducedCount(programs)
})
