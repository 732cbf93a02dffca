import { z } from 'zod'
import { equal } from '../../../protocol/index.ts'
import { CallError } from '../ledger/errors.ts'
import { type CallContext, call, ledgerModule } from '../ledger/module.ts'
import {
  AnyAssetCell,
  type Asset,
  AssetCell,
  AssetReceived,
  AssetReturned,
  AssetSupplyChanged,
  type Holding,
  HoldingCell,
  holdingId,
  MOST,
  readAmount,
  saltOf,
  storeAmount,
} from './asset-cells.ts'

const id = z.instanceof(Uint8Array).refine((bytes) => bytes.length === 32, 'an id of 32 bytes')
/** In the asset's smallest unit. CBOR gives small integers as numbers. */
const amount = z.union([z.int().min(1), z.bigint().min(1n).max(MOST)])

/** Makes an asset whose issuer is the sender. The value pays for the cell's deposit; what is left goes back. */
const create = call({
  args: z.strictObject({
    symbol: z.string().regex(/^[A-Z][A-Z0-9]{0,15}$/, 'a symbol like USDX: A-Z and 0-9, 16 at most'),
    decimals: z.int().min(0).max(30),
    cap: amount.optional(),
  }),
  weight: () => 5n,
  sends: { 'account.credit': 1 },
  creates: ({ symbol }, sender) => ({ creator: sender, salt: saltOf(symbol) }),
  apply(ctx, { symbol, decimals, cap }) {
    if (ctx.read(AssetCell) !== undefined) throw new CallError('ASSET_EXISTS', `${symbol} is there already`)
    ctx.write(AssetCell, {
      symbol,
      decimals,
      issuer: ctx.sender,
      supply: storeAmount(0n),
      cap: storeAmount(BigInt(cap ?? MOST)),
    })
    giveBack(ctx)
  },
})

/** Makes more of the asset, for a holder. Only its issuer may. The value goes along, to pay for a new holding's cell. */
const issue = call({
  args: z.strictObject({ to: id, amount }),
  weight: () => 4n,
  sends: { 'asset.receive': 1 },
  apply(ctx, { to, amount: issued }) {
    const asset = definition(ctx)
    if (!equal(asset.issuer, ctx.sender)) throw new CallError('NOT_ALLOWED', `only the issuer makes ${asset.symbol}`)
    const supply = readAmount(asset.supply) + BigInt(issued)
    const most = readAmount(asset.cap)
    if (supply > most) throw new CallError('CAP_REACHED', `there may be ${most} ${asset.symbol}, not ${supply}`)
    setSupply(ctx, asset, BigInt(issued))
    receive(ctx, { asset: ctx.cell, to, amount: issued })
  },
})

/** Passes some of the sender's holding on. The value goes along, to pay for a new holding's cell. */
const transfer = call({
  args: z.strictObject({ to: id, amount }),
  weight: () => 4n,
  sends: { 'asset.receive': 1 },
  apply(ctx, { to, amount: passed }) {
    const { asset } = takeOut(ctx, BigInt(passed))
    receive(ctx, { asset, to, amount: passed })
  },
})

/** Destroys some of the sender's holding. */
const burn = call({
  args: z.strictObject({ amount }),
  weight: () => 4n,
  sends: { 'asset.burned': 1 },
  apply(ctx, { amount: burned }) {
    const { asset } = takeOut(ctx, BigInt(burned))
    ctx.send({ to: asset, call: 'asset.burned', args: { amount: burned } })
  },
})

const receiveArgs = z.strictObject({ asset: id, holder: id, amount })

/** Takes in what `issue` or `transfer` sent. */
const receiveCall = call({
  args: receiveArgs,
  weight: () => 3n,
  sends: { 'account.credit': 1 },
  creates: ({ asset, holder }) => ({ creator: holder, salt: asset }),
  apply(ctx, { asset, holder, amount: received }) {
    fromThisModule(ctx)
    const before = ctx.read(HoldingCell)
    const sum = (before === undefined ? 0n : readAmount(before.amount)) + BigInt(received)
    ctx.write(HoldingCell, { asset, holder, amount: storeAmount(sum) })
    giveBack(ctx)
    ctx.emit(AssetReceived, { asset, holder, amount: BigInt(received) })
  },
})

/** Pays what coins lie in the sender's holding out to it: what came back with a transfer that was not taken. */
const collect = call({
  args: z.strictObject({}),
  weight: () => 3n,
  sends: { 'account.credit': 1 },
  apply(ctx) {
    holdingOf(ctx)
    ctx.send({ to: ctx.sender, realm: ctx.senderRealm, call: 'account.credit', value: ctx.balance })
  },
})

/** Counts what a holder burned out of the supply. */
const burned = call({
  args: z.strictObject({ amount }),
  weight: () => 3n,
  apply(ctx, { amount: gone }) {
    fromThisModule(ctx)
    setSupply(ctx, definition(ctx), -BigInt(gone))
  },
})

/**
 * Assets beside the coin: stablecoins, points, shares. Who holds how much is a cell each, so that holders in different
 * shards never wait for each other; supply = all holdings + what is on its way.
 */
export const asset = ledgerModule('asset', {
  url: import.meta.url,
  version: 1,
  home: 'shard',
  calls: { create, issue, transfer, burn, collect, receive: receiveCall, burned },
  onBounce(ctx, { call: name, args, code }) {
    // What was sent was not taken, for example because nobody paid for a new holding's cell: it was never passed on.
    const own = ctx.read(AnyAssetCell)
    if (own === undefined || name !== 'asset.receive') return
    const sent = receiveArgs.parse(args)
    const back = BigInt(sent.amount)
    if ('holder' in own) ctx.write(HoldingCell, { ...own, amount: storeAmount(readAmount(own.amount) + back) })
    else setSupply(ctx, own, -back)
    ctx.emit(AssetReturned, { ...sent, amount: back, code })
  },
})

function definition(ctx: CallContext): Asset {
  const found = ctx.read(AnyAssetCell)
  if (found === undefined || !('issuer' in found)) throw new CallError('NO_ASSET', 'there is no asset in this cell')
  return found
}

/** @throws CallError unless the cell is a holding of the sender's */
function holdingOf(ctx: CallContext): Holding {
  const holding = ctx.read(AnyAssetCell)
  if (holding !== undefined && 'holder' in holding && equal(holding.holder, ctx.sender)) return holding
  throw new CallError('NOT_ALLOWED', 'only its holder may spend a holding')
}

/** @throws CallError if the sender does not hold so much here */
function takeOut(ctx: CallContext, taken: bigint): Holding {
  const holding = holdingOf(ctx)
  const held = readAmount(holding.amount)
  if (held < taken) throw new CallError('INSUFFICIENT_ASSET', `the holding is ${held}, less than ${taken}`)
  ctx.write(HoldingCell, { ...holding, amount: storeAmount(held - taken) })
  return holding
}

function receive(
  ctx: CallContext,
  { asset: of, to, amount: passed }: { asset: Uint8Array; to: Uint8Array; amount: number | bigint },
): void {
  ctx.send({
    to: holdingId(of, to),
    call: 'asset.receive',
    args: { asset: of, holder: to, amount: passed },
    value: ctx.value,
  })
}

function setSupply(ctx: CallContext, before: Asset, by: bigint): void {
  const supply = readAmount(before.supply) + by
  ctx.write(AssetCell, { ...before, supply: storeAmount(supply) })
  ctx.emit(AssetSupplyChanged, { asset: ctx.cell, by, supply })
}

/** What a new cell's deposit did not take of the value goes back to who signed. */
function giveBack(ctx: CallContext): void {
  const left = ctx.balance < ctx.value ? ctx.balance : ctx.value
  if (left > 0n) ctx.send({ to: ctx.payer, realm: ctx.payerRealm, call: 'account.credit', value: left })
}

/** What only cells of this module may say: an account could make assets out of nothing with it. */
function fromThisModule(ctx: CallContext): void {
  if (ctx.senderModule !== 'asset') throw new CallError('NOT_ALLOWED', 'only the asset module itself sends this')
}
