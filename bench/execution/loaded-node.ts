import { type Bench, BenchError } from '../benchmark.ts'
import { LoadGenerator } from '../load/load-generator.ts'
import type { LoadResult } from '../load/messages.ts'
import type { LoadPlan } from '../load/plan.ts'
import type { SubmissionForm } from '../load/request.ts'
import { type BenchNode, startBenchNode } from '../node/bench-node.ts'

/** Accounts of the networks that are measured. */
export const ACCOUNTS = 10_000
/** What a node surely does not exceed in a second: sizes the first run, by which the next one is sized. */
const MOST_TRANSACTIONS = 40_000
const MOST_ACTIONS = 300_000
const FIRST_SECONDS = 2
/** A load that is faster than the first run by more than this ends early. */
const SPARE = 1.5

export interface LoadOptions {
  readonly perRequest: number
  /** Transfers in a transaction; 1 if absent. */
  readonly actions?: number
  readonly crossing?: LoadPlan['crossing']
  readonly wait?: SubmissionForm['wait']
  /** ACCOUNTS if absent. */
  readonly accounts?: number
}

/** A node, and a process that is ready to load it. */
export interface LoadedNode {
  readonly node: BenchNode
  readonly generator: LoadGenerator
  readonly plan: LoadPlan
}

export async function startLoadedNode(bench: Bench, options: LoadOptions): Promise<LoadedNode> {
  const { perRequest, actions = 1, crossing = 'half', wait = 'INCLUDED', accounts = ACCOUNTS } = options
  const node = await startBenchNode(bench, accounts)
  const plan: LoadPlan = { network: node.network, accounts, actions, crossing, validUntil: 2 ** 40 }
  const form: SubmissionForm = { port: node.port, path: '/graphql', perRequest, wait }
  const generator = await LoadGenerator.open(bench.scope, { plan, form })
  return { node, generator, plan }
}

/**
 * As many transactions as the node takes: a short run that warms it up and shows how many to sign, then the run that
 * counts, with everything signed before it begins.
 */
export async function flood(
  bench: Bench,
  { generator, plan }: LoadedNode,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
): Promise<LoadResult> {
  const most = Math.min(MOST_TRANSACTIONS, MOST_ACTIONS / plan.actions)
  await generator.ask({ kind: 'sign', transactions: Math.ceil(FIRST_SECONDS * most) })
  const first = checked(await generator.ask({ kind: 'flood', connections, seconds: FIRST_SECONDS }))
  const wanted = Math.ceil((SPARE * seconds * 1000 * first.acknowledged) / first.ms)
  const signed = await generator.ask({ kind: 'sign', transactions: wanted })
  bench.say(`${signed.ready} transactions are signed`)
  const result = checked(await generator.ask({ kind: 'flood', connections, seconds }))
  bench.say(
    `${result.acknowledged} acknowledged in ${(result.ms / 1000).toFixed(1)} s` +
      `${result.ranOut ? ' (all that were signed)' : ''}, ${result.repeated} requests sent again`,
  )
  return result
}

/** A load whose every transaction was included. @throws BenchError LOAD_FAILED */
export function checked(result: LoadResult): LoadResult {
  const others = Object.entries(result.others)
  if (others.length === 0) return result
  const said = others.map(([answer, count]) => `${count} x ${answer}`).join('; ')
  throw new BenchError('LOAD_FAILED', `not every transaction was included: ${said}`)
}

/** Acknowledged transactions a second. */
export const rateOf = ({ acknowledged, ms }: LoadResult): number => (1000 * acknowledged) / ms
