import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { streams } from './streams.ts'

describe('streams of events', () => {
  atReducedCount(streams)
})
