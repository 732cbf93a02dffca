import { toHex } from '../../../protocol/index.ts'
import type { Context } from '../../../schema/index.ts'
import type { TransactionRef } from '../api.ts'
import { actionType } from './action.ts'
import { INCLUSION_PROOF_COST, inclusionProof } from './inclusion-proof.ts'
import type { TransactionBody } from './loaders.ts'
import { hashOfKey } from './node-key.ts'
import { realmInt } from './realm.ts'
import type { Setting } from './setting.ts'
import { told } from './told.ts'
import {
  bodyOf,
  errorOf,
  findTransaction,
  type KnownTransaction,
  placeOf,
  rowOf,
  statusOf,
} from './transaction-source.ts'

/** The type Transaction. */
export function defineTransaction(setting: Setting): void {
  const { builder, refs, loaders, ledger, proofs } = setting
  const action = actionType(setting)

  builder.node(refs.transaction, {
    description:
      'A signed transaction. If it ended without a block, the node remembers its status for a while, and nothing else.',
    id: { resolve: ({ id }) => toHex(id), description: 'Its id, 0x and 64 hex digits.' },
    loadMany: (keys, context) =>
      Promise.all(
        keys.map((key) => {
          const id = hashOfKey(key)
          return id && findTransaction(loaders(context), id)
        }),
      ),
    fields: (t) => {
      const body = <T>(ref: TransactionRef, context: Context, pick: (body: TransactionBody) => T): Promise<T | null> =>
        bodyOf(loaders(context), ref).then((found) => found && pick(found))
      return {
        status: t.field({
          type: refs.transactionStatus,
          nullable: false,
          description: 'How far it got.',
          resolve: (ref, _args, context) => statusOf(loaders(context), ref),
        }),
        error: t.field({
          type: refs.error,
          description: 'Why it came to nothing, or the first refused action of it.',
          resolve: (ref, _args, context) => errorOf(loaders(context), ref),
        }),
        sender: t.field({
          type: 'Bytes',
          description: 'The account that pays and acts.',
          resolve: (ref: KnownTransaction, _args, context) =>
            ref.row?.sender ?? body(ref, context, ({ transaction }) => transaction.sender),
        }),
        realm: t.int({
          description: 'The realm of its sender.',
          resolve: (ref, _args, context) => body(ref, context, ({ transaction }) => realmInt(transaction.realm)),
        }),
        key: t.field({
          type: 'Bytes',
          description: 'The key that signed: the sender itself, or a session key of it.',
          resolve: (ref, _args, context) => body(ref, context, ({ transaction }) => transaction.key),
        }),
        lane: t.int({
          description: 'Each lane of an account has nonces of its own.',
          resolve: (ref, _args, context) => body(ref, context, ({ transaction }) => transaction.lane),
        }),
        nonce: t.field({
          type: 'BigInt',
          description: 'Its place in its lane.',
          resolve: (ref, _args, context) => body(ref, context, ({ transaction }) => transaction.nonce),
        }),
        validUntil: t.field({
          type: 'BigInt',
          description: 'The last root height at which it may be included.',
          resolve: (ref, _args, context) => body(ref, context, ({ transaction }) => transaction.validUntil),
        }),
        maxFee: t.field({
          type: 'BigInt',
          description: 'The most that it may be charged, in the smallest unit.',
          resolve: (ref, _args, context) => body(ref, context, ({ transaction }) => transaction.maxFee),
        }),
        fee: t.field({
          type: 'BigInt',
          description: 'What it was charged; null while it is in no block.',
          resolve: (ref, _args, context) => body(ref, context, ({ receipt }) => receipt?.fee ?? null),
        }),
        bytes: t.field({
          type: 'Bytes',
          description: 'As it was signed and submitted.',
          resolve: (ref, _args, context) => body(ref, context, ({ wire }) => wire),
        }),
        actions: t.field({
          type: [action],
          complexity: { field: 1, multiplier: 4 },
          description: 'What it does, in order; at most 256.',
          resolve: (ref, _args, context) =>
            body(ref, context, (found) => found.transaction.actions.map((_, index) => ({ ref, body: found, index }))),
        }),
        shard: t.field({
          type: refs.shard,
          description: 'The shard that its first block is in, or would be.',
          resolve: async (ref, _args, context) => {
            const place = await placeOf(loaders(context), ref)
            if (place !== null) return { id: place.shard }
            const found = await bodyOf(loaders(context), ref)
            const id = found && ledger().shardOf(found.transaction.realm, found.transaction.sender)
            return id == null ? null : { id }
          },
        }),
        block: t.field({
          type: refs.block,
          description: 'Its first block; null while it is in none.',
          resolve: (ref, _args, context) => placeOf(loaders(context), ref),
        }),
        index: t.int({
          description: 'Its place in the block.',
          resolve: async (ref, _args, context) => (await rowOf(loaders(context), ref))?.index ?? null,
        }),
        createdAt: t.field({
          type: 'DateTime',
          description: "Its block's time; null while it is in none.",
          resolve: async (ref, _args, context) => (await rowOf(loaders(context), ref))?.blockTime ?? null,
        }),
        inclusionProof: t.field({
          type: 'Bytes',
          complexity: INCLUSION_PROOF_COST,
          description:
            "CBOR [header, receipt, proof]: the block's header, the transaction's receipt, and the list proof that " +
            "the receipt is in the header's txRoot. Null while it is in no block.",
          resolve: async (ref, _args, context) => {
            const row = await rowOf(loaders(context), ref)
            return row && inclusionProof(loaders(context), row)
          },
        }),
        rootedProof: t.field({
          type: 'Bytes',
          complexity: INCLUSION_PROOF_COST,
          description:
            'The same, led on to a root block: CBOR [proof, root header, list proof]. Waits for the root block that lists ' +
            'the block up to 5 s. Null while the transaction is in no block.',
          resolve: async (ref, _args, context) => {
            const row = await rowOf(loaders(context), ref)
            const proof = row && (await inclusionProof(loaders(context), row))
            return proof && told(() => proofs.lead(proof))
          },
        }),
      }
    },
  })
}
