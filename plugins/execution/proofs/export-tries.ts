import {
  decodeRootHeader,
  encodeExport,
  encodeExportProof,
  exportEntry,
  exportPath,
  toHex,
} from '../../../protocol/index.ts'
import { apart, type Sql } from '../../../server/plugin.ts'
import { exportsAt } from '../query/root-blocks.ts'
import { ExportTrie } from '../root/export-trie.ts'
import { idKey } from '../state/ledger-cell.ts'
import type { Trie } from '../state/trie.ts'

/** What the root chain exported at some time. */
interface Exports {
  readonly trie: Trie
  readonly values: ReadonlyMap<string, Uint8Array>
  /** By key of the trie. */
  readonly valueHashes: ReadonlyMap<string, Uint8Array>
}

/** Exports change seldom: so many of their states are kept. */
const KEPT = 4

/** Proves what the root chain exports, as of any root block. */
export class ExportTries {
  readonly #sql: () => Sql
  /** By `exportsRoot`; the newest last. */
  readonly #kept = new Map<string, Promise<Exports>>()

  constructor(sql: () => Sql) {
    this.#sql = sql
  }

  /** An `ExportProof` (protocol/export-proof.ts) of what is under a key, or that nothing is. @param root CBOR header */
  async prove(root: Uint8Array, key: string): Promise<Uint8Array> {
    const { trie, values, valueHashes } = await this.#at(root)
    const value = values.get(key)
    const { siblings, end } = trie.path(exportPath(key))
    const valueHash = end === null ? undefined : valueHashes.get(idKey(end.key))
    return encodeExportProof({
      header: root,
      record: value === undefined ? null : encodeExport(key, value),
      path: end === null || valueHash === undefined ? { siblings } : { siblings, leaf: { key: end.key, valueHash } },
    })
  }

  #at(root: Uint8Array): Promise<Exports> {
    const { exportsRoot, height } = decodeRootHeader(root)
    const name = toHex(exportsRoot)
    const kept = this.#kept.get(name) ?? apart(() => this.#read(height))
    this.#kept.delete(name)
    this.#kept.set(name, kept)
    // A failure is for those who ask now; the next one reads again.
    kept.catch(() => this.#kept.delete(name))
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break
      this.#kept.delete(oldest)
    }
    return kept
  }

  async #read(height: number): Promise<Exports> {
    const values = new Map(await exportsAt(this.#sql(), height))
    const exports = new ExportTrie()
    exports.update([...values])
    const entries = Array.from(values, ([key, value]) => exportEntry(key, value))
    return {
      trie: exports.trie,
      values,
      valueHashes: new Map(entries.map(({ key, valueHash }) => [idKey(key), valueHash])),
    }
  }
}
