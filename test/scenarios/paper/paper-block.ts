import { strict as assert } from 'node:assert'
import { ROOT_REALM, type Transaction, toHex } from '../../../protocol/index.ts'
import { checkCells, checkEvents, checkReceipts, type PaperFollowUp } from './check.ts'
import { planOnPaper } from './inbound-on-paper.ts'
import { isIn, type Note, type Place } from './note.ts'
import { bytesHeld, type PaperCell, type PaperCells } from './paper-cells.ts'
import type { PaperSet } from './paper-modules.ts'
import { PaperRun } from './paper-run.ts'
import type { PaperView } from './root-history.ts'
import type { StoredBlock } from './stored.ts'

/** A shard as the model has it. */
export interface PaperShard {
  readonly id: string
  readonly realm: number
  readonly prefix: string
  height: number
  /** The last root block that it has taken in. */
  cursor: number
  time: number
  /** Messages that ever came. */
  arrivals: number
  /** Those of them that wait for room. */
  waiting: readonly Note[]
}

/** What a block goes by. */
export interface BlockTerms {
  readonly cells: PaperCells
  readonly view: PaperView
  readonly set: PaperSet
  readonly random: Uint8Array
  readonly depositPerByte: bigint
  readonly treasury: Place
  /** Messages that the root blocks bring which it takes in, in their order. */
  readonly arrived: readonly Note[]
}

/** What a block made of what it was given, if the ledger agrees. */
export interface PaperBlock {
  readonly sent: readonly Note[]
  readonly followUps: readonly PaperFollowUp[]
  /** Bounces that modules were told of, and those that they could not deal with. */
  readonly told: { readonly all: number; readonly undone: number }
  /** The messages that each transaction sent elsewhere, and whether an action was refused. */
  readonly included: readonly { readonly id: Uint8Array; readonly remote: number; readonly isRefused: boolean }[]
}

const TRANSACTION_WEIGHT = 10
const BYTES_PER_WEIGHT = 64
/** Calls of the root chain, with what they send. */
const ROOT_WEIGHTS: Readonly<Record<string, number>> = {
  'shard.split': 100,
  'realm.create': 103,
  'module.activate': 100,
}
const NOBODY = new Uint8Array(32)
const NOTHING = new Uint8Array(0)

/** Runs a block with the transactions that it has, and compares all that the ledger says of it. */
export function runOnPaper(shard: PaperShard, stored: StoredBlock, terms: BlockTerms): PaperBlock {
  const { header } = stored
  const { cells, view, set, random, depositPerByte } = terms
  const place = `${shard.id}/${stored.height}`
  const { realm, id } = shard
  const versionsOf = (name: string): number => view.modules.get(name)?.length ?? 0
  const { height, time } = header
  const around = { shard: id, realm, height, time, random, realms: view.realms, versionsOf, depositPerByte }
  const plan = planOnPaper(set, [...shard.waiting, ...terms.arrived])
  cells.turnPage()
  const run = new PaperRun(cells, set, around, (to) => isIn(to, shard))
  const said = { shard: id, height, hash: stored.hash, txCount: stored.transactions.length, time }
  run.events.push({ topic: 'execution.block', payload: said, origin: NOTHING, action: 0 })

  const followUps = new Map<string, PaperFollowUp>()
  for (const note of plan.now) addTo(followUps, note, run.message(note))
  let [fees, weight] = [0n, plan.weight]
  const results = stored.transactions.map(({ transaction, bytes }) => {
    const own = weightOf(set, transaction, bytes)
    const fee = header.basePrice * BigInt(own)
    charge(shard, transaction, fee, terms, header.rootCursor)
    weight += own
    fees += fee
    return { ...run.transaction(notesOf(transaction)), fee }
  })
  if (fees > 0n) run.message(feesOf(shard, terms.treasury, fees))

  checkReceipts(stored, results)
  checkEvents(stored, run.events)
  checkCells(stored, realm, cells)
  const weighed = { all: header.weight, transactions: header.txWeight }
  assert.deepEqual(weighed, { all: BigInt(weight), transactions: BigInt(weight - plan.weight) }, `${place}: weight`)
  assert.equal(header.arrivals, shard.arrivals + terms.arrived.length, `${place}: arrivals`)
  const worth = (cell: PaperCell): bigint => cell.balance + depositPerByte * BigInt(bytesHeld(cell))
  const gained = cells.written().reduce((sum, { before, after }) => sum + worth(after) - worth(before), 0n)
  assert.equal(gained, carriedBy(plan.now) - carriedBy(run.sent), `${place}: coins`)

  shard.height = height
  shard.cursor = header.rootCursor
  shard.time = time
  shard.arrivals = header.arrivals
  shard.waiting = plan.later
  const included = results.map(({ remote, errors }, i) => {
    return { id: stored.transactions[i]?.transaction.id ?? NOTHING, remote, isRefused: errors.length > 0 }
  })
  return { sent: run.sent, followUps: [...followUps.values()], told: run.told, included }
}

export const carriedBy = (notes: readonly Note[]): bigint => notes.reduce((sum, { value }) => sum + value, 0n)

/** Adds what a message came to; what it sent on is open, and it is not any more. */
export function addTo(
  followUps: Map<string, PaperFollowUp>,
  { origin }: Note,
  { outcomes, remote }: { readonly outcomes: PaperFollowUp['outcomes']; readonly remote: number },
): void {
  if (origin.length === 0) return
  const known = followUps.get(toHex(origin)) ?? { transaction: origin, delta: 0, outcomes: [] }
  known.delta += remote - 1
  known.outcomes.push(...outcomes)
  followUps.set(toHex(origin), known)
}

function weightOf(set: PaperSet, { actions }: Transaction, bytes: number): number {
  let weight = TRANSACTION_WEIGHT + Math.ceil(bytes / BYTES_PER_WEIGHT)
  for (const { realm, call, args } of actions) {
    const isRunnable = realm === ROOT_REALM ? ROOT_WEIGHTS[call] !== undefined : set.deed(call)?.takes(args) === true
    assert.ok(isRunnable, `a block has a transaction that calls "${call}" with what it does not take`)
    weight += realm === ROOT_REALM ? (ROOT_WEIGHTS[call] ?? 0) : set.weigh(call, args)
  }
  return weight
}

/** Takes fee, values and nonce from the sender, who must have them. */
function charge(
  shard: PaperShard,
  transaction: Transaction,
  fee: bigint,
  { cells, depositPerByte }: BlockTerms,
  cursor: number,
): void {
  const { realm, sender: id, lane, nonce, actions, maxFee, validUntil } = transaction
  const name = `transaction ${toHex(transaction.id)}`
  assert.ok(isIn({ realm, id }, shard), `${name} is in the shard of its sender`)
  const cell = cells.at({ realm, id })
  assert.equal(nonce, cell.lanes.get(lane) ?? 0, `${name} comes in its turn`)
  assert.ok(fee <= maxFee && cursor <= validUntil, `${name} is within its bounds`)
  const used = { ...cell, lanes: new Map(cell.lanes).set(lane, nonce + 1) }
  const deposit = depositPerByte * BigInt(bytesHeld(used) - bytesHeld(cell))
  const balance = cell.balance - fee - deposit - actions.reduce((sum, { value }) => sum + value, 0n)
  assert.ok(balance >= 0n, `${name} is paid for`)
  cells.put({ ...used, balance })
}

const notesOf = ({ id: origin, realm, sender, actions }: Transaction): Note[] =>
  actions.map(({ to, realm: toRealm, call, args, value }, action) => {
    const from = { realm, id: sender }
    const place = { realm: toRealm, id: to }
    return {
      kind: 'call',
      origin,
      action,
      from,
      module: 'account',
      to: place,
      call,
      args,
      value,
      payer: from,
      code: '',
    }
  })

/** Nobody signs for what a block's fees do. */
const feesOf = ({ realm }: PaperShard, treasury: Place, value: bigint): Note => ({
  kind: 'call',
  origin: NOTHING,
  action: 0,
  from: { realm, id: NOBODY },
  module: '',
  to: treasury,
  call: 'account.credit',
  args: {},
  value,
  payer: treasury,
  code: '',
})
