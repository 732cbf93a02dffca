import { type Genesis, toHex, ZERO_HASH } from '../../../protocol/index.ts'
import type { CellState, Ledger, ShardState, Simulation, SubmitOutcome, TransactionState, Wait } from '../api.ts'
import { TEST_NETWORK } from '../query/written-ledger.ts'

const shard = (id: string, parent: string | null = null): ShardState => ({
  id,
  realm: 0,
  prefix: id.slice(2),
  parent,
  status: 'RUNNING',
  height: 3,
  stateRoot: ZERO_HASH,
  load: 0.25,
  mempool: { size: 2, bytes: 500 },
  basePrice: 3n,
  congestion: 120,
})

/** For tests of the GraphQL side: a ledger that says what it is told to say. */
export class FakeLedger implements Ledger {
  kind: Genesis['kind'] = 'development'
  /** Addresses whose first byte is odd live in 0:1. */
  readonly shardStates: ShardState[] = [shard('0:0'), shard('0:1'), shard('0:01', '0:0')]
  /** By hex of the id. */
  readonly cellStates = new Map<string, CellState>()
  readonly pending = new Map<string, TransactionState>()
  /** How often each method was called. */
  readonly calls: string[] = []
  /** What the next questions fail with. */
  trouble: Error | undefined
  outcomes: readonly SubmitOutcome[] = []
  simulation: Simulation = { kind: 'refused', code: 'MALFORMED', message: 'not a transaction' }
  watched: readonly TransactionState[] = []
  /** Runs before each state that `watch` gives. */
  beforeWatched: (index: number) => Promise<void> = async () => undefined

  get network() {
    const genesis: Genesis = {
      name: 'test',
      kind: this.kind,
      time: 0,
      validators: [ZERO_HASH],
      quorum: 1,
      anchor: ZERO_HASH,
      params: {},
      shards: ['0:0', '0:1'],
      cells: [],
      modules: [],
    }
    return { id: TEST_NETWORK, genesis, supply: 1_000n }
  }

  rootHeight = (): number => 9
  shards = (): readonly ShardState[] => this.shardStates
  randomness = () => 'SINGLE_OPERATOR' as const
  shardOf = (realm: number, id: Uint8Array): string | undefined =>
    realm === 0 ? ((id[0] ?? 0) % 2 === 1 ? '0:1' : '0:0') : undefined

  async submit(wires: readonly Uint8Array[], options: { readonly wait: Wait }): Promise<readonly SubmitOutcome[]> {
    this.calls.push(`submit ${wires.length} ${options.wait}`)
    if (this.trouble !== undefined) throw this.trouble
    return this.outcomes
  }

  async simulate(): Promise<Simulation> {
    return this.simulation
  }

  async states(ids: readonly Uint8Array[]): Promise<readonly (TransactionState | null)[]> {
    this.calls.push(`states ${ids.length}`)
    return ids.map((id) => this.pending.get(toHex(id)) ?? null)
  }

  async *watch(): AsyncIterable<TransactionState> {
    for (const [index, state] of this.watched.entries()) {
      await this.beforeWatched(index)
      yield state
    }
  }

  async cells(realm: number, ids: readonly Uint8Array[]): Promise<readonly (CellState | null)[]> {
    this.calls.push(`cells ${realm} ${ids.length}`)
    if (this.trouble !== undefined) throw this.trouble
    return ids.map((id) => this.cellStates.get(toHex(id)) ?? null)
  }

  async proof(_realm: number, id: Uint8Array): Promise<Uint8Array> {
    this.calls.push('proof')
    return id
  }

  async faucet(address: Uint8Array): Promise<SubmitOutcome> {
    this.calls.push('faucet')
    return { kind: 'accepted', id: address, duplicate: false, status: 'INCLUDED', at: { shard: '0:0', height: 1 } }
  }

  supplyCheck = () => ({ rootHeight: 9, total: 1_000n, inFlight: 0n })
}
