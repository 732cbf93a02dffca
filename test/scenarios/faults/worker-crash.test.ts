import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { poison } from './poison.ts'
import { workerCrash } from './worker-crash.ts'

describe('a thread that crashes', () => {
  atReducedCount(workerCrash)
  atReducedCount(poison)
})
