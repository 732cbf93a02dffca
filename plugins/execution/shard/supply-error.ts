/** A block would have changed the supply: some code of the ledger is wrong, and nothing of the block is kept. */
export class SupplyError extends Error {
  override readonly name = 'SupplyError'
  readonly code = 'SUPPLY_CHANGED'
}
