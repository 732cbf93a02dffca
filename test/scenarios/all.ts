import { failover } from './failover/failover.ts'
import { cleanStop } from './faults/clean-stop.ts'
import { kill } from './faults/kill.ts'
import { outage } from './faults/outage.ts'
import { poison } from './faults/poison.ts'
import { workerCrash } from './faults/worker-crash.ts'
import { fuzz } from './fuzz/fuzz.ts'
import { fuzzHttp } from './fuzz/fuzz-http.ts'
import { twoWays } from './graphql/two-ways.ts'
import { hosts } from './hosts/hosts.ts'
import { killJobs } from './jobs/kill.ts'
import { idle } from './live/idle.ts'
import { listeners } from './live/listeners.ts'
import { model } from './model/model.ts'
import { programs } from './programs/programs.ts'
import { forgedProofs } from './proofs/forged-proofs.ts'
import type { Scenario } from './scenario.ts'
import { splitCrash } from './split/crash.ts'
import { splitKill } from './split/kill.ts'
import { splitLoad } from './split/load.ts'
import { streams } from './streams/streams.ts'

/** What `npm run soak` can run. */
export const SCENARIOS: readonly Scenario[] = [
  fuzz,
  fuzzHttp,
  forgedProofs,
  model,
  programs,
  kill,
  outage,
  workerCrash,
  poison,
  splitLoad,
  splitCrash,
  splitKill,
  cleanStop,
  streams,
  killJobs,
  failover,
  hosts,
  idle,
  listeners,
  twoWays,
]
