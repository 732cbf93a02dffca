import { cborVectors } from './formats/cbor.ts'
import { cellVectors } from './formats/cell.ts'
import { genesisVectors } from './formats/genesis.ts'
import { headerVectors } from './formats/header.ts'
import { listVectors } from './formats/list.ts'
import { messageVectors } from './formats/message.ts'
import { proofVectors } from './formats/proof.ts'
import { rootVectors } from './formats/root.ts'
import { shardIdVectors } from './formats/shard-id.ts'
import { splitVectors } from './formats/split.ts'
import { transactionVectors } from './formats/transaction.ts'
import { trieVectors } from './formats/trie.ts'

/** The text of each file of vectors, by its name: computed anew. */
export function allVectors(): ReadonlyMap<string, string> {
  const files = [
    cborVectors(),
    cellVectors(),
    genesisVectors(),
    headerVectors(),
    listVectors(),
    messageVectors(),
    proofVectors(),
    rootVectors(),
    shardIdVectors(),
    splitVectors(),
    transactionVectors(),
    trieVectors(),
  ]
  return new Map(files.map((file) => [`${file.format}.json`, `${JSON.stringify(file, null, 2)}\n`]))
}
