import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { forgedProofs } from './forged-proofs.ts'

describe('a ledger', () => {
  atReducedCount(forgedProofs)
})
