import { z } from 'zod'
import { cellId } from '../../../protocol/index.ts'
import { topic } from '../../../server/plugin.ts'
import { cellType } from '../ledger/module.ts'

/** More than this, in its smallest unit, there never is of an asset. */
export const MOST = 2n ** 128n - 1n

const id = z.instanceof(Uint8Array).refine((bytes) => bytes.length === 32, 'an id of 32 bytes')

/** An amount in a cell: 16 bytes, big-endian, so that a cell's deposit does not grow with what it counts. */
const stored = z.instanceof(Uint8Array).refine((bytes) => bytes.length === 16, '16 bytes')

/** An asset. Its cell is at `assetId(issuer, symbol)`. */
export const AssetCell = cellType(
  'asset.definition',
  z.strictObject({
    symbol: z.string(),
    decimals: z.int(),
    issuer: id,
    /** What there is of it: held, or on its way between cells. */
    supply: stored,
    /** What there may be of it. */
    cap: stored,
  }),
)

/** What somebody has of an asset. The cell is at `holdingId(asset, holder)`. */
export const HoldingCell = cellType('asset.holding', z.strictObject({ asset: id, holder: id, amount: stored }))

/** Either of the two: every cell of the module. */
export const AnyAssetCell = cellType('asset.any', z.union([HoldingCell.schema, AssetCell.schema]))

export type Asset = z.output<typeof AssetCell.schema>
export type Holding = z.output<typeof HoldingCell.schema>

const bytes = z.instanceof(Uint8Array)

/** An asset's supply changed; `by` is negative when some was burned. */
export const AssetSupplyChanged = topic(
  'execution.assetSupplyChanged',
  z.object({ asset: bytes, by: z.bigint(), supply: z.bigint() }),
)

/** Some of an asset arrived at a holder. */
export const AssetReceived = topic(
  'execution.assetReceived',
  z.object({ asset: bytes, holder: bytes, amount: z.bigint() }),
)

/** What was sent to a holder was not taken, and is back: with the sender, or uncreated where it had been issued. */
export const AssetReturned = topic(
  'execution.assetReturned',
  z.object({ asset: bytes, holder: bytes, amount: z.bigint(), code: z.string() }),
)

/** The id of an asset's cell. */
export const assetId = (issuer: Uint8Array, symbol: string): Uint8Array => cellId('asset', issuer, saltOf(symbol))

/** What tells the assets of one issuer apart: the symbol's bytes. */
export const saltOf = (symbol: string): Uint8Array => new TextEncoder().encode(symbol)

/** The id of the cell that keeps what a holder has of an asset. */
export const holdingId = (asset: Uint8Array, holder: Uint8Array): Uint8Array => cellId('asset', holder, asset)

/** An amount as a cell keeps it. */
export function storeAmount(amount: bigint): Uint8Array {
  const stored = new Uint8Array(16)
  for (let i = 15, rest = amount; i >= 0; i--, rest >>= 8n) stored[i] = Number(rest & 255n)
  return stored
}

/** An amount that a cell keeps. */
export const readAmount = (stored: Uint8Array): bigint => stored.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
