import { cleanStop } from './faults/clean-stop.ts'
import { kill } from './faults/kill.ts'
import { outage } from './faults/outage.ts'
import { fuzz } from './fuzz/fuzz.ts'
import type { Scenario } from './scenario.ts'

/** What `npm run soak` can run. */
export const SCENARIOS: readonly Scenario[] = [fuzz, kill, outage, cleanStop]
