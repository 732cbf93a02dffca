import type { Ledger } from './api.ts'
import type { Chain } from './chain.ts'

/** The ledger was asked before the node started it. */
export class LedgerNotStartedError extends Error {
  override readonly name = 'LedgerNotStartedError'
  readonly code = 'LEDGER_NOT_STARTED'
}

/** The ledger as a service: given out before the node starts, connected to the running chain when it does. */
export class LedgerHandle implements Ledger {
  #chain: Chain | undefined

  connect(chain: Chain): void {
    this.#chain = chain
  }

  /** @throws LedgerNotStartedError */
  get chain(): Chain {
    if (this.#chain === undefined)
      throw new LedgerNotStartedError('the ledger is still starting: try again in a moment')
    return this.#chain
  }

  get isConnected(): boolean {
    return this.#chain !== undefined
  }

  get network(): Ledger['network'] {
    return this.chain.network
  }

  readonly rootHeight: Ledger['rootHeight'] = () => this.chain.rootHeight()
  readonly shards: Ledger['shards'] = () => this.chain.shards()
  readonly shardOf: Ledger['shardOf'] = (realm, id) => this.chain.shardOf(realm, id)
  readonly submit: Ledger['submit'] = (wires, options) => this.chain.submit(wires, options)
  readonly simulate: Ledger['simulate'] = (bytes) => this.chain.simulate(bytes)
  readonly states: Ledger['states'] = (ids) => this.chain.states(ids)
  readonly watch: Ledger['watch'] = (id, signal) => this.chain.watch(id, signal)
  readonly cells: Ledger['cells'] = (realm, ids) => this.chain.cells(realm, ids)
  readonly proof: Ledger['proof'] = (realm, id) => this.chain.proof(realm, id)
  readonly faucet: Ledger['faucet'] = (address) => this.chain.faucet(address)
  readonly supplyCheck: Ledger['supplyCheck'] = () => this.chain.supplyCheck()
}
