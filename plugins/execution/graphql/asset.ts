import type { Context } from '../../../schema/index.ts'
import { AssetCell, HoldingCell, holdingId, readAmount } from '../modules/asset-cells.ts'
import { realmOf, thirtyTwoBytes } from './realm.ts'
import type { Setting } from './setting.ts'

const MODULE = 'asset'

interface AssetShape {
  readonly id: Uint8Array
  readonly realm: number
  readonly symbol: string
  readonly decimals: number
  readonly issuer: Uint8Array
  readonly supply: bigint
  readonly cap: bigint
}

interface HoldingShape {
  readonly cell: Uint8Array
  readonly realm: number
  readonly asset: Uint8Array
  readonly amount: bigint
}

/** Assets and what accounts hold of them: what the module `asset` keeps in its cells. */
export function defineAssets(setting: Setting): void {
  const { builder, refs, loaders } = setting

  const assetAt = async (realm: number, id: Uint8Array, context: Context): Promise<AssetShape | null> => {
    const cell = await loaders(context).cells.load({ realm, id })
    const value = cell?.owner === MODULE ? AssetCell.schema.safeParse(cell.value) : undefined
    if (value?.success !== true) return null
    const { supply, cap, ...fields } = value.data
    return { id, realm, ...fields, supply: readAmount(supply), cap: readAmount(cap) }
  }

  const asset = builder.objectRef<AssetShape>('Asset').implement({
    description: 'Something countable that an account issues: a stablecoin, points, shares.',
    fields: (t) => ({
      address: t.field({ type: 'Bytes', nullable: false, description: 'Its cell.', resolve: ({ id }) => id }),
      symbol: t.exposeString('symbol', { nullable: false, description: 'As its issuer calls it; others may too.' }),
      decimals: t.exposeInt('decimals', { nullable: false, description: 'Of the unit that people count in.' }),
      issuer: t.field({
        type: refs.account,
        nullable: false,
        description: 'The account that issues it.',
        resolve: ({ issuer, realm }) => ({ address: issuer, realm }),
      }),
      supply: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'What is held and what is on its way, in its smallest unit.',
        resolve: ({ supply }) => supply,
      }),
      cap: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'There will never be more.',
        resolve: ({ cap }) => cap,
      }),
    }),
  })

  const holding = builder.objectRef<HoldingShape>('Holding').implement({
    description: 'What an account holds of an asset.',
    fields: (t) => ({
      address: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'Its cell, which `asset.transfer` and `asset.burn` run against.',
        resolve: ({ cell }) => cell,
      }),
      amount: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'In the asset’s smallest unit.',
        resolve: ({ amount }) => amount,
      }),
      asset: t.field({
        type: asset,
        description: 'Null if there is no such asset.',
        resolve: (held, _args, context) => assetAt(held.realm, held.asset, context),
      }),
    }),
  })

  builder.queryField('asset', (t) =>
    t.field({
      type: asset,
      description: 'An asset by its cell; null if there is none.',
      args: {
        id: t.arg({ type: 'Bytes', required: true, description: 'Its cell: 32 bytes.' }),
        realm: t.arg.int({ description: '0 if absent.' }),
      },
      resolve: (_root, { id, realm }, context) => assetAt(realmOf(realm), thirtyTwoBytes('id', id), context),
    }),
  )

  builder.objectField(refs.account, 'holding', (t) =>
    t.field({
      type: holding,
      description: 'What it holds of an asset; an amount of 0 if it never held any.',
      args: { asset: t.arg({ type: 'Bytes', required: true, description: 'The asset’s cell.' }) },
      resolve: async ({ address, realm }, { asset: of }, context): Promise<HoldingShape> => {
        const id = holdingId(thirtyTwoBytes('asset', of), address)
        const cell = await loaders(context).cells.load({ realm, id })
        const value = cell?.owner === MODULE ? HoldingCell.schema.safeParse(cell.value) : undefined
        const amount = value?.success === true ? readAmount(value.data.amount) : 0n
        return { cell: id, realm, asset: of, amount }
      },
    }),
  )
}
