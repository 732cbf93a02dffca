/** Constants of the ledger that every node must share. What may differ between networks is in genesis params. */

/** Weight of a transaction apart from its actions: its signature and its place in the index. */
export const TRANSACTION_WEIGHT = 10
/** One more unit of weight for each of so many bytes. */
export const BYTES_PER_WEIGHT = 64
/** What a block may weigh, all phases together. */
export const MAX_BLOCK_WEIGHT = 400_000
/** The part of it that messages must leave to transactions. */
export const TRANSACTION_SHARE = 0.25
/** The most bytes of transactions in a block. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024
/** The most transactions in a block. */
export const MAX_BLOCK_TRANSACTIONS = 8192
/** The longest error message that a receipt keeps, in characters. */
export const MAX_ERROR_MESSAGE = 200
/** The most events that one call may emit. */
export const MAX_EVENTS_PER_CALL = 64
/** The most bytes of all of them, as they are stored. */
export const MAX_EVENT_BYTES = 64 * 1024
/** The most bytes of the arguments of a message that a call sends. */
export const MAX_SENT_ARGS = 64 * 1024

/** A message to the root chain weighs as much as this at least: there is one root chain, and it sets nothing aside. */
export const ROOT_MESSAGE_WEIGHT = 100
/** The most cells that one root call may touch. */
export const MAX_ROOT_CELLS = 4096
/** The most values that the root chain exports at a time: every shard keeps all of them in memory. */
export const MAX_EXPORTS = 4096
/** The most bytes of one of them, as CBOR. */
export const MAX_EXPORT_VALUE = 4096
/** Root blocks from the call that splits a shard until its children take over. */
export const SPLIT_DELAY = 3
/** The longest prefix that a split may give a shard, in bits. */
export const MAX_SHARD_PREFIX = 16
