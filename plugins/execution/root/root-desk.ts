import {
  cellPath,
  decodeMessage,
  encodeCellProof,
  encodeRootHeader,
  equal,
  leafHash,
  valueHash,
} from '../../../protocol/index.ts'
import { pause } from '../../../server/plugin.ts'
import type { CellState } from '../api.ts'
import { Execution } from '../shard/execution.ts'
import type { SimulatedMessages } from '../shard/messages.ts'
import { ProofError } from '../shard/prove-cell.ts'
import { simulateInbound } from '../shard/simulate-inbound.ts'
import { CellStore } from '../state/cell-store.ts'
import { cellValue, idKey, isEmpty, type LedgerCell, sealRecord } from '../state/ledger-cell.ts'
import { ExportDraft } from './export-draft.ts'
import type { Orderer } from './orderer.ts'
import { RootScope } from './root-scope.ts'
import { ROOT_SPACE, type RootState, rootContextOf } from './root-state.ts'
import { drain } from './run-watched.ts'
import { withinTime } from './within-time.ts'

/** While a root block is on its way to the disk, a proof waits for it: so long at most. */
const PROOF_MS = 2000
const POLL_MS = 5

/** Answers questions about the root chain's committed state. */
export class RootDesk {
  readonly space = ROOT_SPACE
  readonly #state: RootState
  readonly #orderer: Orderer

  constructor(state: RootState, orderer: Orderer) {
    this.#state = state
    this.#orderer = orderer
  }

  /** Cells as of the last durable root block; null where there is none. */
  cells(ids: readonly Uint8Array[]): (CellState | null)[] {
    const { store, parts } = this.#state
    return ids.map((id) => {
      const { cell } = store.readCommitted(idKey(id))
      if (cell === undefined || isEmpty(cell)) return null
      return {
        id: new Uint8Array(cell.id),
        realm: ROOT_SPACE.realm,
        shard: ROOT_SPACE.id,
        owner: cell.owner,
        balance: cell.balance,
        deposit: parts.depositPerByte * BigInt(cell.depositBytes),
        value: cellValue(cell),
        height: this.#orderer.tip.header.height,
      }
    })
  }

  /** CBOR of a cell proof against the last durable root header. @throws ProofError if the database is away */
  async prove(id: Uint8Array): Promise<Uint8Array> {
    const state = this.#state
    const deadline = performance.now() + PROOF_MS
    while (state.height !== this.#orderer.tip.header.height) {
      if (performance.now() > deadline)
        throw new ProofError('the root chain cannot store its block now, so it proves nothing: try again in a moment')
      await pause(POLL_MS)
    }
    const key = cellPath(id)
    const { siblings, end } = state.trie.path(key)
    const header = encodeRootHeader(this.#orderer.tip.header)
    if (end === null) return encodeCellProof({ header, record: null, path: { siblings } })
    const record = recordOf(this.#state.store, end.key)
    if (!equal(leafHash(end.key, valueHash(record)), end.leaf))
      throw new TypeError('a cell of the root chain is not what its trie says')
    const path = { siblings, leaf: { key: end.key, valueHash: valueHash(record) } }
    return encodeCellProof({ header, record: equal(end.key, key) ? record : null, path })
  }

  /** Runs messages on a copy of the state, as the next root block would. */
  async simulate(messages: readonly Uint8Array[]): Promise<SimulatedMessages> {
    const state = this.#state
    const store = new CopyStore(state.store)
    const { header } = this.#orderer.tip
    const height = header.height + 1
    store.begin(height)
    const draft = new ExportDraft(this.#orderer.view)
    const scope = new RootScope({ store, exports: draft, rules: state.parts.rules })
    const execution = new Execution({
      isTrial: true,
      space: ROOT_SPACE,
      store,
      trie: { has: () => false },
      registry: state.parts.registryAt(this.#orderer.view, height),
      context: rootContextOf({ height, time: header.time, random: new Uint8Array(32) }, draft, scope, state.parts),
    })
    return simulateInbound(execution, messages.map(decodeMessage), async () =>
      withinTime(
        () => 'a simulated call of the root chain',
        () => drain(execution),
      ),
    )
  }
}

/** Cells that may be changed: those of another store as it has them committed, copied as they are asked for. */
class CopyStore extends CellStore {
  readonly #from: CellStore

  constructor(from: CellStore) {
    super({ cacheSize: 2 })
    this.#from = from
  }

  override get(key: string): LedgerCell | undefined {
    const own = super.get(key)
    if (own !== undefined) return own
    const { cell } = this.#from.readCommitted(key)
    if (cell === undefined || isEmpty(cell)) return undefined
    this.restore({ ...cell, block: -1 })
    return super.get(key)
  }
}

function recordOf(store: CellStore, path: Uint8Array): Uint8Array {
  const cell = store.findUnfolded(path)
  if (cell === undefined) throw new TypeError('the trie of the root chain has a cell that is not in memory')
  return sealRecord(cell)
}
