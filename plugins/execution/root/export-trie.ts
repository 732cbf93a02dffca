import { encodeExport, exportPath, leafHash, sha256 } from '../../../protocol/index.ts'
import { type LeafChange, Trie } from '../state/trie.ts'
import type { ExportChange } from './exports.ts'

/** The trie behind `exportsRoot`. */
export class ExportTrie {
  readonly trie = new Trie({ keyBytes: 32, depth: 0 })

  get root(): Uint8Array {
    return this.trie.root
  }

  update(changes: readonly ExportChange[]): void {
    const leaves: LeafChange[] = changes.map(([key, value]) => {
      const path = exportPath(key)
      return { key: path, leaf: value === null ? null : leafHash(path, sha256(encodeExport(key, value))) }
    })
    this.trie.update(leaves.sort((a, b) => Buffer.compare(a.key, b.key)))
  }
}
