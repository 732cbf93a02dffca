import { type BlockHeader, bodyHash, encodeHeader, headerHash, listRoot } from '../../../protocol/index.ts'
import { congestionOf } from '../ledger/base-price.ts'
import type { CellStore } from '../state/cell-store.ts'
import type { Holdings } from '../state/holdings.ts'
import type { Trie } from '../state/trie.ts'
import type { ChainTip } from './chain-tip.ts'
import type { DeferredMessages } from './deferred-messages.ts'
import type { Execution } from './execution.ts'
import type { InboundPlan } from './inbound-plan.ts'
import type { LedgerParams } from './ledger-rules.ts'
import type { MadeBlock, TransactionOutcome } from './made-block.ts'
import { indexOut } from './out-index.ts'
import { packBody, packEvents, slices } from './pack.ts'
import type { RanTransactions } from './run-transactions.ts'
import { sealCells } from './seal.ts'
import type { ShardSpace } from './shard-space.ts'
import { SupplyError } from './supply-error.ts'

/** The state that a block changes, as the shard keeps it in memory. */
export interface ShardState {
  readonly space: ShardSpace
  readonly store: CellStore
  readonly trie: Trie
  readonly params: LedgerParams
  readonly deferred: DeferredMessages
  readonly holdings: Holdings
}

/** What ran in a block, and where in the chain it is. */
export interface RanBlock {
  readonly tip: ChainTip
  readonly execution: Execution
  readonly inbound: InboundPlan
  readonly outcomes: readonly TransactionOutcome[]
  readonly ran: RanTransactions
  readonly place: Pick<BlockHeader, 'height' | 'rootCursor' | 'time' | 'basePrice'>
}

/**
 * Hashes what a block left behind, and makes all of it that is stored. The tries and holdings are those after it then.
 * @throws SupplyError if value appeared or vanished; nothing is changed then
 */
export function sealBlock(state: ShardState, { tip, execution, inbound, outcomes, ran, place }: RanBlock): MadeBlock {
  const { space, store, trie, params, deferred, holdings } = state
  const outgoing = execution.outBox.finish()
  const cells = sealCells(store.peekChanges(), params.depositPerByte)
  const change = cells.holdings + inbound.waitingValue
  if (change !== inbound.consumed - outgoing.value) {
    throw new SupplyError(
      `block ${place.height} of ${space.id} would change what the shard holds by ${change} instead of ` +
        `${inbound.consumed - outgoing.value}`,
    )
  }
  cells.leaves.forEach(({ key }, i) => {
    holdings.add(key, cells.moved[i] ?? 0n)
  })
  trie.update(cells.leaves)
  const { body, bodyAt } = packBody(ran.included)
  const weight = ran.weight + inbound.weight
  const header: BlockHeader = {
    ...place,
    shard: space.id,
    prevHash: tip.hash,
    txRoot: listRoot(slices(ran.receipts, ran.receiptAt)),
    outRoot: listRoot(outgoing.items),
    cellsRoot: trie.root,
    deferredRoot: deferred.hash(inbound),
    arrivals: tip.arrivals + inbound.arrived,
    bodyHash: bodyHash(body),
    txCount: ran.included.length,
    txWeight: BigInt(ran.weight),
    weight: BigInt(weight),
    congestion: congestionOf(weight + inbound.waitingWeight),
  }
  const headerBytes = encodeHeader(header)
  const hash = headerHash(headerBytes)
  return {
    header,
    headerBytes,
    hash,
    body,
    bodyAt,
    included: ran.included,
    receipts: ran.receipts,
    receiptAt: ran.receiptAt,
    outgoing: outgoing.bytes,
    outIndex: indexOut(outgoing.items),
    delta: cells.delta,
    outcomes,
    events: packEvents(execution, header, hash),
    deferredAdded: inbound.added,
    deferredDone: inbound.done,
    faults: execution.faults,
    totals: {
      holdings: tip.totals.holdings + change,
      emitted: tip.totals.emitted + outgoing.value,
      consumed: tip.totals.consumed + inbound.consumed,
    },
  }
}
