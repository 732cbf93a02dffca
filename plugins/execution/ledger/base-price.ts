import { MAX_BLOCK_TRANSACTIONS, MAX_BLOCK_WEIGHT, MAX_BODY_BYTES } from './rules.ts'

/** What of a block decides the price in the next one. */
export interface PricedBlock {
  /** Units for one unit of weight. */
  readonly basePrice: bigint
  readonly rootCursor: number
  /** Of its transactions. */
  readonly txWeight: number
  /** Of all that it ran: its transactions, and messages that came to it. */
  readonly weight: number
  readonly txCount: number
  /** Length of its body. */
  readonly bodyBytes: number
}

/** The price rises to at most so many times the network's own. */
export const MAX_PRICE_FACTOR = 1_000_000n
/** The price moves by at most one part in so many from block to block. */
export const PRICE_STEP = 8n
/** Root heights that a block may take: only longer pauses make the price fall by themselves. */
export const BLOCK_SPAN = 10

/** Parts of a full block. */
const FULL = 1_000_000
/** What the price aims at: room for a sudden load twice as large as the usual one. */
const TARGET = FULL / 2
/**
 * What transactions are measured by at least, whatever room messages leave them. Less than three quarters of a block, so
 * that who fills the quarter that is always theirs pays more and more; the more it is, the less others can make it dearer.
 */
const LEAST_ROOM = (3 * MAX_BLOCK_WEIGHT) / 8

/**
 * How full its transactions made a block, in millionths: by weight, number or bytes, whichever is most. Messages are paid
 * for where they were sent from: they only take room away, and only so much of it counts that transactions below three
 * sixteenths of a block are never dearer for what others send.
 */
export function fullness({
  txWeight,
  weight,
  txCount,
  bodyBytes,
}: Pick<PricedBlock, 'txWeight' | 'weight' | 'txCount' | 'bodyBytes'>): number {
  const part = (used: number, limit: number): number => Math.floor((used * FULL) / limit)
  const most = Math.max(
    part(txWeight, Math.max(LEAST_ROOM, MAX_BLOCK_WEIGHT - (weight - txWeight))),
    part(txCount, MAX_BLOCK_TRANSACTIONS),
    part(bodyBytes, MAX_BODY_BYTES),
  )
  return Math.min(most, FULL)
}

/**
 * The price in the block after `parent`, after EIP-1559: if that was more than half full it rises, if less it falls, in
 * proportion, by an eighth (or one unit) at most. A shard that makes no blocks is idle: from the eleventh root height on
 * the price falls by an eighth with each.
 * @param floor the network's own price: the price is never below it, and at most `MAX_PRICE_FACTOR` times as high
 */
export function nextBasePrice(parent: PricedBlock, rootCursor: number, floor: bigint): bigint {
  let price = parent.basePrice
  const excess = fullness(parent) - TARGET
  if (excess > 0) price += atLeastOne((price * BigInt(excess)) / (BigInt(TARGET) * PRICE_STEP))
  if (excess < 0) price -= atLeastOne((price * BigInt(-excess)) / (BigInt(TARGET) * PRICE_STEP))
  for (let idle = rootCursor - parent.rootCursor - BLOCK_SPAN; idle > 0 && price > floor; idle--)
    price -= atLeastOne(price / PRICE_STEP)
  const most = floor * MAX_PRICE_FACTOR
  return price < floor ? floor : price > most ? most : price
}

/** Else a price of a few units would never move. */
const atLeastOne = (step: bigint): bigint => (step > 1n ? step : 1n)

/** The highest congestion that a header says. */
export const MAX_CONGESTION = 1000

/** How much a shard has to do, in percent of a block: what it ran, and what waits in it for want of room. */
export const congestionOf = (weight: number): number =>
  Math.min(MAX_CONGESTION, Math.floor((100 * weight) / MAX_BLOCK_WEIGHT))
