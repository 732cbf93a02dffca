import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { toHex } from '../../protocol/index.ts'
import { BenchError } from '../benchmark.ts'
import { BENCH_BALANCE, benchKey } from '../load/plan.ts'
import type { BenchNode } from './bench-node.ts'

/** Ids looked up in one statement. */
const PAGE = 20_000
/** Accounts asked for in one query: the node takes 50 aliases. */
const ACCOUNTS = 50
const SETTLE_MS = 60_000

/** What must be true of a node after a load. */
export interface Expected {
  /** Ids of the transactions that it acknowledged, 32 bytes each; all that were submitted. */
  readonly acknowledged: Uint8Array
  readonly accounts: number
}

/**
 * Checks that nothing was lost, and nothing made: every acknowledged transaction is stored, once, and no others; all of
 * them ran to their end in both shards; balances and fees sum up to what genesis granted, as clients see it.
 * @throws BenchError AUDIT_FAILED
 */
export async function audit(node: BenchNode, { acknowledged, accounts }: Expected): Promise<void> {
  await settled(node)
  const submitted = acknowledged.length / 32
  const found = await countFound(node, acknowledged)
  if (found !== submitted) fail(`${submitted} transactions were acknowledged, ${found} of them are stored`)
  const [stored] = await node.sql<{ count: bigint; refused: bigint }[]>`
    SELECT count(*) AS count, count(*) FILTER (WHERE refused) AS refused FROM tx`
  if (Number(stored?.count) !== submitted) fail(`${submitted} were submitted, ${stored?.count} are stored`)
  const [refused] = await node.sql<{ count: bigint }[]>`SELECT count(*) AS count FROM outcome WHERE refused`
  const bad = Number(stored?.refused) + Number(refused?.count)
  if (bad !== 0) fail(`${bad} transfers were refused`)
  await checkSupply(node, accounts)
}

/** Messages that were sent and have not arrived. */
export async function messagesUnderWay(node: BenchNode): Promise<number> {
  const [row] = await node.sql<{ open: bigint }[]>`
    SELECT (SELECT coalesce(sum(remote), 0) FROM tx) + (SELECT coalesce(sum(delta), 0) FROM outcome) AS open`
  return Number(row?.open)
}

/** Waits until every message has arrived. */
async function settled(node: BenchNode): Promise<void> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const open = await messagesUnderWay(node)
    if (open === 0) return
    if (performance.now() > deadline) fail(`${open} messages have not arrived after ${SETTLE_MS / 1000} s`)
    await sleep(250)
  }
}

async function countFound({ sql }: BenchNode, ids: Uint8Array): Promise<number> {
  let found = 0
  for (let at = 0; at < ids.length; at += 32 * PAGE) {
    const page = ids.subarray(at, at + 32 * PAGE)
    const [row] = await sql<{ count: bigint }[]>`
      SELECT count(DISTINCT tx.id) AS count
      FROM generate_series(0, ${page.length / 32 - 1}::int) AS i
      JOIN tx ON tx.id = substring(${page}::bytea from 32 * i + 1 for 32)`
    found += Number(row?.count)
  }
  return found
}

const Supply = z.object({
  network: z.object({ supply: z.string(), supplyCheck: z.object({ total: z.string(), inFlight: z.string() }) }),
})
const Balances = z.record(z.string(), z.object({ balance: z.string() }))

async function checkSupply(node: BenchNode, accounts: number): Promise<void> {
  const asked = Supply.parse(await node.ask('{ network { supply supplyCheck { total inFlight } } }'))
  const { supply, supplyCheck } = asked.network
  if (supplyCheck.total !== supply) fail(`the supply is ${supply}, the ledger counts ${supplyCheck.total}`)
  const { treasury } = node.genesis.params
  if (!(treasury instanceof Uint8Array)) fail('the genesis document names no treasury')
  const ids = Array.from({ length: accounts }, (_, index) => benchKey(index).publicKey)
  const sum = await sumOfBalances(node, [...ids, treasury])
  const granted = BigInt(BENCH_BALANCE) * BigInt(accounts)
  if (sum !== granted) fail(`genesis granted ${granted}; balances and fees sum up to ${sum}`)
}

async function sumOfBalances(node: BenchNode, ids: readonly Uint8Array[]): Promise<bigint> {
  let sum = 0n
  for (let from = 0; from < ids.length; from += ACCOUNTS) {
    const page = ids.slice(from, from + ACCOUNTS)
    const names = page.map((_, i) => `a${i}`)
    const query = `query (${names.map((name) => `$${name}: Bytes!`).join(' ')}) {
      ${names.map((name) => `${name}: account(address: $${name}) { balance }`).join(' ')} }`
    const variables = Object.fromEntries(page.map((id, i) => [`a${i}`, toHex(id)]))
    for (const { balance } of Object.values(Balances.parse(await node.ask(query, variables)))) sum += BigInt(balance)
  }
  return sum
}

function fail(message: string): never {
  throw new BenchError('AUDIT_FAILED', message)
}
