import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { idle } from './idle.ts'
import { listeners } from './listeners.ts'

describe('live events', () => {
  atReducedCount(idle)
  atReducedCount(listeners)
})
