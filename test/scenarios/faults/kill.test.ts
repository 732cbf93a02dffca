import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { kill } from './kill.ts'

describe('kill -9', () => {
  atReducedCount(kill)
})
