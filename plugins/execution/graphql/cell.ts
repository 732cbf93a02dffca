import { apiError, type Context, toJson } from '../../../schema/index.ts'
import type { CellState } from '../api.ts'
import { cellProofs, ROOTED } from './cell-proofs.ts'
import type { CellPlace } from './loaders.ts'
import { cellKey, cellOfKey } from './node-key.ts'
import { realmInt, realmOf, rootRealm, thirtyTwoBytes } from './realm.ts'
import type { Setting } from './setting.ts'

/** The type Cell, and the query for it. */
export function defineCell(setting: Setting): void {
  const { builder, refs, loaders } = setting
  const { proof, rootedProof } = cellProofs(setting)
  const stateOf = async ({ realm, id }: CellPlace, context: Context): Promise<CellState> => {
    const cell = await loaders(context).cells.load({ realm, id })
    if (cell !== null) return cell
    throw apiError('CELL_UNKNOWN', 'This cell is gone.')
  }

  builder.node(refs.cell, {
    description: 'A unit of state: it belongs to a module, has a balance and a value.',
    id: { resolve: cellKey },
    loadMany: (keys, context) =>
      Promise.all(
        keys.map((key) => {
          const place = cellOfKey(key)
          return place && loaders(context).cells.load(place)
        }),
      ),
    fields: (t) => ({
      address: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'Its 32 bytes in its realm, as the query `cell` takes them.',
        resolve: ({ id }) => id,
      }),
      realm: t.int({
        description: 'The realm that it is in; null for the root chain.',
        resolve: ({ realm }) => realmInt(realm),
      }),
      owner: t.string({
        nullable: false,
        description: 'The module that may change it.',
        resolve: async (cell, _args, context) => (await stateOf(cell, context)).owner,
      }),
      balance: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'The coins in it, in the smallest unit, without the deposit.',
        resolve: async (cell, _args, context) => (await stateOf(cell, context)).balance,
      }),
      deposit: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'Held for the size of the value; it comes back when the value is removed.',
        resolve: async (cell, _args, context) => (await stateOf(cell, context)).deposit,
      }),
      value: t.field({
        type: 'JSON',
        description: 'What its module keeps in it.',
        resolve: async (cell, _args, context) => toJson((await stateOf(cell, context)).value),
      }),
      shard: t.field({
        type: refs.shard,
        nullable: false,
        description: 'The shard that it is in.',
        resolve: async (cell, _args, context) => ({ id: (await stateOf(cell, context)).shard }),
      }),
      proof: t.field({
        type: 'Bytes',
        complexity: 10,
        description: 'That the cell is as it is: CBOR [header, record, trie proof].',
        resolve: proof,
      }),
      rootedProof: t.field({
        type: 'Bytes',
        complexity: 10,
        description: ROOTED,
        resolve: rootedProof,
      }),
      height: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'The committed height of its shard that this is as of.',
        resolve: async (cell, _args, context) => (await stateOf(cell, context)).height,
      }),
    }),
  })

  builder.queryField('cell', (t) =>
    t.field({
      type: refs.cell,
      description: 'A cell as it is now; null if there is none.',
      args: {
        id: t.arg({ type: 'Bytes', required: true, description: 'Its 32 bytes.' }),
        realm: t.arg.int({ description: '0 if absent.' }),
        onRoot: t.arg.boolean({ description: 'True for a cell of the root chain; then there is no `realm`.' }),
      },
      resolve: (_root, { id, realm, onRoot }, context) =>
        loaders(context).cells.load({
          realm: onRoot === true ? rootRealm(realm) : realmOf(realm),
          id: thirtyTwoBytes('id', id),
        }),
    }),
  )
  builder.queryField('cellProof', (t) =>
    t.field({
      type: 'Bytes',
      complexity: 10,
      description:
        'What a cell is, or that there is none, led on to a root block: CBOR [[header, record | null, trie proof], root ' +
        'header, list proof]; the last two are null on the root chain. Null if there is no such realm.',
      args: {
        id: t.arg({ type: 'Bytes', required: true, description: 'Its 32 bytes.' }),
        realm: t.arg.int({ description: '0 if absent.' }),
        onRoot: t.arg.boolean({ description: 'True for a cell of the root chain; then there is no `realm`.' }),
      },
      resolve: (_root, { id, realm, onRoot }) => {
        const place = { realm: onRoot === true ? rootRealm(realm) : realmOf(realm), id: thirtyTwoBytes('id', id) }
        return rootedProof(place)
      },
    }),
  )
}
