import {
  cellPath,
  decodeMessage,
  decodeTransaction,
  decodeUnsigned,
  equal,
  TransactionError,
  type UnsignedTransaction,
} from '../../../protocol/index.ts'
import type { ActionOutcome, CellState } from '../api.ts'
import { nextNonce } from '../state/account.ts'
import { CellStore } from '../state/cell-store.ts'
import { cellValue, idKey, isEmpty } from '../state/ledger-cell.ts'
import { chargeOf, costOf, feeRefusal, sessionRefusalOf } from './admission.ts'
import type { ShardEngine } from './engine.ts'
import { Execution } from './execution.ts'
import type { ShardAnswers, ShardQuestion, SimulatedHere, SimulatedMessages } from './messages.ts'
import { proveCell } from './prove-cell.ts'
import { eventsOf, outgoingOf, simulateInbound } from './simulate-inbound.ts'

/** Simulated messages of one transaction at most, so that a simulation ends. */
const MAX_SIMULATED = 1000
const STATUSES = ['DONE', 'REFUSED', 'SENT'] as const

/** Answers a question about a shard's committed state. */
export async function answer(
  engine: ShardEngine,
  question: ShardQuestion,
): Promise<ShardAnswers[ShardQuestion['kind']]> {
  switch (question.kind) {
    case 'cells':
      return readCells(engine, question.ids)
    case 'proof':
      return proveCell(engine, question.id)
    case 'pending':
      return question.ids.map((id) => engine.mempool.find(idKey(id))?.wire ?? null)
    case 'simulate':
      return simulate(engine, question.transaction)
    case 'simulate-messages':
      return simulateMessages(engine, question.messages)
  }
}

async function readCells(engine: ShardEngine, ids: readonly Uint8Array[]): Promise<(CellState | null)[]> {
  await engine.current()
  await engine.load(ids)
  const { space, rules } = engine.parts
  return ids.map((id) => {
    const { cell } = engine.cells.readCommitted(idKey(id))
    if (cell === undefined || isEmpty(cell)) return null
    return {
      id: cell.id,
      realm: space.realm,
      shard: space.id,
      owner: cell.owner,
      balance: cell.balance,
      deposit: rules.params.depositPerByte * BigInt(cell.depositBytes),
      value: cellValue(cell),
      height: engine.committedHeight,
    }
  })
}

/** A copy of the state that a simulation may change. */
class Scratch {
  readonly execution: Execution
  readonly store = new CellStore({ cacheSize: MAX_SIMULATED })
  readonly #engine: ShardEngine

  constructor(engine: ShardEngine) {
    this.#engine = engine
    const { space, now } = engine.parts
    const { registry, params } = engine.pricing
    // The engine's block numbers are below: no cell of its can pass for one of this block.
    this.store.begin(Number.MAX_SAFE_INTEGER)
    this.execution = new Execution({
      isTrial: true,
      ...(engine.parts.marks && { marks: engine.parts.marks }),
      space,
      store: this.store,
      trie: { has: (path: Uint8Array) => this.#isUnread(path) },
      registry,
      context: {
        shard: space.id,
        realm: space.realm,
        height: engine.committedHeight + 1,
        time: Math.max(engine.tip.time, now()),
        random: new Uint8Array(32),
        root: engine.view,
        depositPerByte: params.depositPerByte,
      },
    })
  }

  readonly #read = new Set<string>()

  /** Copies committed cells in. */
  async load(ids: readonly Uint8Array[]): Promise<void> {
    await this.#engine.load(ids)
    for (const id of ids) {
      this.#read.add(idKey(cellPath(id)))
      const { cell } = this.#engine.cells.readCommitted(idKey(id))
      if (cell !== undefined && !isEmpty(cell)) this.store.load({ ...cell, block: -1 })
    }
  }

  async drain(): Promise<void> {
    for (let missing = this.execution.resume(); missing !== undefined; missing = this.execution.resume()) {
      await this.load(missing)
    }
  }

  #isUnread(path: Uint8Array): boolean {
    return !this.#read.has(idKey(path))
  }
}

async function simulate(engine: ShardEngine, bytes: Uint8Array): Promise<SimulatedHere> {
  const { pricing } = engine
  const { space } = engine.parts
  let transaction: UnsignedTransaction
  try {
    // Eleven items with the signature, ten without.
    transaction = bytes[0] === 0x8b ? decodeTransaction(bytes) : decodeUnsigned(bytes)
  } catch (error) {
    if (!(error instanceof TransactionError)) throw error
    return { kind: 'refused', code: error.code, message: error.message }
  }
  const length = bytes[0] === 0x8b ? bytes.length : bytes.length + 66
  const cost = costOf(pricing, transaction, length)
  if ('code' in cost) return { kind: 'refused', code: cost.code, message: cost.message ?? '' }
  const session = equal(transaction.key, transaction.sender) ? undefined : transaction.key
  const signed = { ...transaction, signature: new Uint8Array(64) }
  const charge = chargeOf({ transaction: signed, session, ...cost }, engine.price)
  const tooLow = feeRefusal(transaction, charge.fee)
  if (tooLow !== undefined) return { kind: 'refused', code: tooLow.code, message: tooLow.message ?? '' }
  await engine.current()
  const scratch = new Scratch(engine)
  await scratch.load([transaction.sender])
  const sender = scratch.store.get(idKey(transaction.sender))
  const expected = sender === undefined ? 0 : nextNonce(sender.account, transaction.lane)
  if (transaction.nonce < expected) {
    return { kind: 'refused', code: 'NONCE_USED', message: `the next nonce of lane ${transaction.lane} is ${expected}` }
  }
  const barred = sessionRefusalOf(charge, sender, engine.rootHeight)
  if (barred !== undefined) return { kind: 'refused', code: barred.code, message: barred.message ?? '' }
  if (sender === undefined || !scratch.execution.affords(sender, signed, charge.cost)) {
    const has = sender?.balance ?? 0n
    return { kind: 'refused', code: 'INSUFFICIENT_FUNDS', message: `it takes ${charge.cost}, the sender has ${has}` }
  }
  scratch.execution.begin(sender, charge)
  await scratch.drain()
  const { receipt } = scratch.execution.receipt(signed, charge.fee)
  const events = eventsOf(scratch.execution)
  const actions = transaction.actions.map((_, i): ActionOutcome => {
    const error = receipt.errors.find((found) => found.action === i)
    return {
      status: STATUSES[receipt.statuses[i] ?? 0] ?? 'DONE',
      error: error === undefined ? null : { code: error.code, message: error.message },
      shard: space.id,
      events: events.filter((event) => event.action === i),
    }
  })
  const simulation = {
    kind: 'done',
    id: transaction.id,
    fee: charge.fee,
    weight: BigInt(cost.weight),
    actions,
  } as const
  return { kind: 'done', simulation, outgoing: outgoingOf(scratch.execution) }
}

function simulateMessages(engine: ShardEngine, messages: readonly Uint8Array[]): Promise<SimulatedMessages> {
  const scratch = new Scratch(engine)
  return simulateInbound(scratch.execution, messages.slice(0, MAX_SIMULATED).map(decodeMessage), () => scratch.drain())
}
