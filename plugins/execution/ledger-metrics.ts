import { ROOT_REALM } from '../../protocol/index.ts'
import type { Host } from '../../server/plugin.ts'
import type { Ledger } from './api.ts'

/** Milliseconds between two looks at the shards. */
const LOOK_EVERY = 1_000

/** How the ledger is doing, as this node knows it, for /metrics. Ends with the plugin. */
export function meterLedger({ metrics, signal }: Host, ledger: Ledger): void {
  metrics.gauge({ name: 'root_height_count', help: 'Root blocks so far.', read: () => ledger.rootHeight() })
  metrics.gauge({
    name: 'supply_missing_units',
    help: 'Coins that the last count of all balances, deposits and messages did not find; 0 in a sound ledger.',
    read: () => Number(ledger.network.supply - ledger.supplyCheck().total),
  })
  metrics.gauge({
    name: 'supply_in_flight_units',
    help: 'Coins on their way between shards.',
    read: () => Number(ledger.supplyCheck().inFlight),
  })
  const labels = ['shard'] as const
  const height = metrics.gauge({ name: 'shard_height_count', help: 'Blocks of the shard so far.', labels })
  const load = metrics.gauge({ name: 'shard_load_ratio', help: 'Part of its time that the shard executes.', labels })
  const waiting = metrics.gauge({ name: 'shard_waiting_count', help: 'Transactions that wait for a block.', labels })
  const bytes = metrics.gauge({ name: 'shard_waiting_bytes', help: 'Their size.', labels })
  const price = metrics.gauge({
    name: 'shard_price_units',
    help: 'What a unit of weight costs in its next block.',
    labels,
  })
  const congestion = metrics.gauge({
    name: 'shard_congestion_ratio',
    help: 'What its last block ran and what waits for room, as a part of a full block.',
    labels,
  })
  const running = metrics.gauge({
    name: 'shard_running_ratio',
    help: '1 while the shard runs, or its children do; else 0.',
    labels,
  })
  const realms = ['realm'] as const
  const shards = metrics.gauge({ name: 'realm_shards_count', help: 'Shards of the realm.', labels: realms })
  const busy = metrics.gauge({
    name: 'realm_load_ratio',
    help: 'What its shards execute, all together: 1 for each that is busy all the time.',
    labels: realms,
  })
  const look = (): void => {
    for (const { id: shard, ...state } of ledger.shards()) {
      height.set(state.height, { shard })
      load.set(state.load, { shard })
      waiting.set(state.mempool.size, { shard })
      bytes.set(state.mempool.bytes, { shard })
      price.set(Number(state.basePrice), { shard })
      congestion.set(state.congestion / 100, { shard })
      running.set(state.status === 'RUNNING' || state.status === 'SPLIT' ? 1 : 0, { shard })
    }
    const living = ledger.shards().filter(({ realm, status }) => realm !== ROOT_REALM && status !== 'SPLIT')
    for (const [realm, own] of Map.groupBy(living, (shard) => String(shard.realm))) {
      shards.set(own.length, { realm })
      busy.set(
        own.reduce((sum, shard) => sum + shard.load, 0),
        { realm },
      )
    }
  }
  look()
  const timer = setInterval(look, LOOK_EVERY)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}

/** Counts the transactions that the blocks of this node include, by realm. */
export function transactionCounter({ metrics }: Host): (realm: number, count: number) => void {
  const transactions = metrics.counter({
    name: 'realm_transactions_total',
    help: 'Transactions in blocks that this node made.',
    labels: ['realm'],
  })
  return (realm, count) => transactions.add(count, { realm: String(realm) })
}

/** Counts calls of modules that broke instead of refusing, and tells their authors in the log. */
export function faultCounter({ metrics, log }: Host): (call: string, count: number) => void {
  const faults = metrics.counter({
    name: 'module_faults_total',
    help: 'Calls that broke instead of refusing: their module has to be mended.',
    labels: ['call'],
  })
  return (call, count) => {
    faults.add(count, { call })
    log.warn({ call, count }, 'a ledger module broke in a call instead of refusing it (MODULE_FAULT)')
  }
}
