import { atReducedCount } from '../at-reduced-count.ts'
import { killJobs } from './kill.ts'

atReducedCount(killJobs)
