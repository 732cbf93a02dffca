import { concat, decodeHeader } from '../../../protocol/index.ts'
import type { TransactionStatus } from '../api.ts'
import type { ChainTip } from './chain-tip.ts'
import type { MadeBlock } from './made-block.ts'
import { type BlockReport, type ShardReport, WAITER_STATUS } from './messages.ts'
import { indexOut } from './out-index.ts'
import type { PoolEntry } from './pool-entry.ts'

/** What the node is told of a block that is durable now. */
export function reportOf(block: MadeBlock): BlockReport {
  const { header, included } = block
  const ids = new Uint8Array(32 * included.length)
  const waiters: number[] = []
  included.forEach(({ entry, refused, remote }, i) => {
    ids.set(entry.transaction.id, 32 * i)
    const status = WAITER_STATUS.indexOf(remote > 0 ? 'INCLUDED' : refused ? 'FAILED' : 'EXECUTED')
    for (const waiter of entry.waiters) waiters.push(waiter.batch, waiter.index, status)
  })
  return {
    shard: header.shard,
    height: header.height,
    header: block.headerBytes,
    hash: block.hash,
    bodyBytes: block.body.length,
    rootCursor: header.rootCursor,
    stateRoot: header.cellsRoot,
    totals: block.totals,
    outgoing: block.outgoing,
    outIndex: block.outIndex,
    included: ids,
    outcomes: concat(...block.outcomes.map((outcome) => outcome.transaction)),
    waiters: Uint32Array.from(waiters),
    faults: block.faults,
  }
}

/** The same of a shard's last block before it was started: all of it was told before. */
export function tipReport(shard: string, tip: ChainTip, header: Uint8Array): BlockReport {
  const { height, hash, bodyBytes, rootCursor, totals } = tip
  const none = new Uint8Array(0)
  const { cellsRoot } = decodeHeader(header)
  return {
    shard,
    height,
    header,
    hash,
    bodyBytes,
    rootCursor,
    stateRoot: cellsRoot,
    totals,
    outgoing: none,
    outIndex: indexOut([]),
    included: none,
    outcomes: none,
    waiters: new Uint32Array(0),
    faults: new Map(),
  }
}

/** Tells of transactions that left the mempool: whole senders expire together, so one report for all of a status. */
export class DropReports {
  readonly #report: (report: ShardReport) => void
  #drops: { readonly status: TransactionStatus; readonly entries: PoolEntry[] }[] = []

  constructor(report: (report: ShardReport) => void) {
    this.#report = report
  }

  add(entry: PoolEntry, status: TransactionStatus): void {
    if (this.#drops.length === 0) queueMicrotask(() => this.#send())
    const same = this.#drops.find((drop) => drop.status === status)
    if (same === undefined) this.#drops.push({ status, entries: [entry] })
    else same.entries.push(entry)
  }

  #send(): void {
    const drops = this.#drops
    this.#drops = []
    for (const { status, entries } of drops) {
      const ids = concat(...entries.map((entry) => entry.transaction.id))
      const waiters = entries.flatMap((entry) => entry.waiters.flatMap(({ batch, index }) => [batch, index]))
      this.#report({ type: 'dropped', drop: { status, ids, waiters: Uint32Array.from(waiters) } })
    }
  }
}
