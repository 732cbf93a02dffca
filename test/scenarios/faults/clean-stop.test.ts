import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { cleanStop } from './clean-stop.ts'

describe('an orderly stop', () => {
  atReducedCount(cleanStop)
})
