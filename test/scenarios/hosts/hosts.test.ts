import { describe } from 'vitest'
import { atReducedCount } from '../at-reduced-count.ts'
import { hosts } from './hosts.ts'

describe('a shard on a shard host', () => {
  atReducedCount(hosts)
})
