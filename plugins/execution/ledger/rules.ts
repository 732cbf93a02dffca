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
