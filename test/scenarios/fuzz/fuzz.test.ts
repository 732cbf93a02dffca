import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { fuzz } from './fuzz.ts'
import { fuzzHttp } from './fuzz-http.ts'

describe('a ledger', () => {
  atReducedCount(fuzz)
  atReducedCount(fuzzHttp)
})
