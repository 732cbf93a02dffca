import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { model } from './model.ts'

describe('a ledger and its model', () => {
  atReducedCount(model)
})
