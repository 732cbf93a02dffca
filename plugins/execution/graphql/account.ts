import type { Context } from '../../../schema/index.ts'
import type { CellState } from '../api.ts'
import { type AccountState, accountState } from '../state/account.ts'
import { ACCOUNT } from '../state/ledger-cell.ts'
import { MAX_SESSION_KEYS, type SessionKey, type SessionTarget } from '../state/session-key.ts'
import { cellProofs, ROOTED } from './cell-proofs.ts'
import { cellKey, cellOfKey } from './node-key.ts'
import { realmInt, realmOf, thirtyTwoBytes } from './realm.ts'
import type { Setting } from './setting.ts'

interface AccountShape {
  readonly address: Uint8Array
  readonly realm: number
}

const NOTHING: AccountState = { lanes: [], keys: [] }

/** The type Account, and the query for it. */
export function defineAccount(setting: Setting): void {
  const { builder, refs, ledger, loaders } = setting
  const { proof, rootedProof } = cellProofs(setting)
  const cellOf = ({ address, realm }: AccountShape, context: Context): Promise<CellState | null> =>
    loaders(context).cells.load({ realm, id: address })
  const stateOf = async (account: AccountShape, context: Context): Promise<AccountState> => {
    const cell = await cellOf(account, context)
    // Another module's cell can be paid and asked for its balance, but it signs nothing.
    return cell === null || cell.owner !== ACCOUNT ? NOTHING : accountState(cell.value as never)
  }
  const exists = (account: AccountShape): AccountShape | null =>
    ledger().shardOf(account.realm, account.address) === undefined ? null : account

  const lane = builder.objectRef<AccountState['lanes'][number]>('Lane').implement({
    description: 'A sequence of nonces. Parallel clients of one account take a lane each.',
    fields: (t) => ({
      lane: t.int({ nullable: false, description: 'Its number, 0 to 255.', resolve: ([number]) => number }),
      nextNonce: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'That of the next transaction, not counting those that wait for a block.',
        resolve: ([, next]) => next,
      }),
    }),
  })

  const sessionTarget = builder.objectRef<SessionTarget>('SessionTarget').implement({
    description: 'A cell that a session key may call. The same address is another cell in each realm.',
    fields: (t) => ({
      address: t.field({ type: 'Bytes', nullable: false, description: 'Its id, 32 bytes.', resolve: ({ id }) => id }),
      realm: t.int({
        description: 'The realm that it is in; null for the root chain.',
        resolve: ({ realm }) => realmInt(realm),
      }),
    }),
  })

  const sessionKey = builder.objectRef<SessionKey>('SessionKey').implement({
    description:
      'A key that may act for an account, within bounds. `account.authorize` gives it, `account.revoke` takes it.',
    fields: (t) => ({
      key: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'Its ed25519 public key, 32 bytes.',
        resolve: ({ key }) => key,
      }),
      calls: t.stringList({
        nullable: false,
        complexity: { field: 1, multiplier: 4 },
        description: 'What it may call: `market.buy`, or `market.*` for all calls of a module.',
        resolve: ({ calls }) => [...calls],
      }),
      targets: t.field({
        type: [sessionTarget],
        nullable: false,
        complexity: { field: 1, multiplier: 4 },
        description: 'The cells that it may call; any if empty.',
        resolve: ({ targets }) => targets,
      }),
      lane: t.exposeInt('lane', { nullable: false, description: 'The one lane that it signs in.' }),
      limit: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'What it may spend in all, fees and values.',
        resolve: ({ limit }) => limit,
      }),
      spent: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'What it has spent of that, also where a value came back later.',
        resolve: ({ spent }) => spent,
      }),
      expires: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'The last root height at which it is good.',
        resolve: ({ expires }) => expires,
      }),
    }),
  })

  builder.node(refs.account, {
    description: 'The cell of a key. Every address answers, used or not.',
    id: { resolve: ({ realm, address }) => cellKey({ realm, id: address }) },
    loadMany: (keys) =>
      keys.map((key) => {
        const cell = cellOfKey(key)
        return cell && exists({ realm: cell.realm, address: cell.id })
      }),
    fields: (t) => ({
      address: t.field({
        type: 'Bytes',
        nullable: false,
        description: 'An ed25519 public key, 32 bytes.',
        resolve: ({ address }) => address,
      }),
      realm: t.int({
        description: 'The realm that it is in; null for the root chain.',
        resolve: ({ realm }) => realmInt(realm),
      }),
      balance: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'What it can spend, in the smallest unit: 1 DEA is 10^9.',
        resolve: async (account, _args, context) => (await cellOf(account, context))?.balance ?? 0n,
      }),
      deposit: t.field({
        type: 'BigInt',
        nullable: false,
        description: 'Held for the room that it takes; it comes back when that is given up.',
        resolve: async (account, _args, context) => (await cellOf(account, context))?.deposit ?? 0n,
      }),
      lanes: t.field({
        type: [lane],
        nullable: false,
        complexity: { field: 1, multiplier: 4 },
        description: 'The lanes that were used, at most 256; any other begins with nonce 0.',
        resolve: async (account, _args, context) => (await stateOf(account, context)).lanes,
      }),
      keys: t.field({
        type: ['Bytes'],
        nullable: false,
        complexity: { field: 1, multiplier: 4 },
        description: 'Keys besides its own that may sign for it.',
        resolve: async (account, _args, context) => (await stateOf(account, context)).keys.map(({ key }) => key),
      }),
      sessionKeys: t.field({
        type: [sessionKey],
        nullable: false,
        complexity: { field: 1, multiplier: 4 },
        description: `The same keys with what each may do; ${MAX_SESSION_KEYS} at most.`,
        resolve: async (account, _args, context) => (await stateOf(account, context)).keys,
      }),
      proof: t.field({
        type: 'Bytes',
        complexity: 10,
        description: 'That the account is as it is, or was never used: CBOR [header, record | null, trie proof].',
        resolve: ({ realm, address }) => proof({ realm, id: address }),
      }),
      rootedProof: t.field({
        type: 'Bytes',
        complexity: 10,
        description: ROOTED,
        resolve: ({ realm, address }) => rootedProof({ realm, id: address }),
      }),
      shard: t.field({
        type: refs.shard,
        description: 'The shard that it is in.',
        resolve: ({ realm, address }) => {
          const id = ledger().shardOf(realm, address)
          return id === undefined ? null : { id }
        },
      }),
    }),
  })

  builder.queryField('account', (t) =>
    t.field({
      type: refs.account,
      description: 'An account; null only if there is no such realm.',
      args: {
        address: t.arg({ type: 'Bytes', required: true, description: 'A public key, 32 bytes.' }),
        realm: t.arg.int({ description: '0 if absent.' }),
      },
      resolve: (_root, { address, realm }) =>
        exists({ address: thirtyTwoBytes('address', address), realm: realmOf(realm) }),
    }),
  )
}
