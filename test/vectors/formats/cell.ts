import {
  type Cell,
  cellId,
  cellPath,
  decodeCell,
  encode,
  encodeCell,
  leafHash,
  toHex,
  valueHash,
} from '../../../protocol/index.ts'
import { filler, json, keyPair, refusal, type VectorFile } from '../vector.ts'

const account = keyPair(1).publicKey
const cells: readonly Cell[] = [
  { id: account, owner: 'account', balance: 0n, value: null },
  { id: account, owner: 'account', balance: 1_500_000_000n, value: { lanes: [[0, 7]], keys: [] } },
  { id: filler(32, 2), owner: 'counter', balance: (1n << 128n) - 1n, value: [1, 'two', filler(3, 3)] },
]

export function cellVectors(): VectorFile {
  const salt = new TextEncoder().encode('first')
  return {
    format: 'cell',
    about:
      'record = CBOR[id, owner, balance, value]; valueHash = SHA-256(record); path = SHA-256("deaios/path/1\\0" || id); leaf = SHA-256(0x00 || path || valueHash); a made id = SHA-256("deaios/cell/1\\0" || CBOR[module, creator, salt]).',
    cases: [
      ...cells.map((cell) => {
        const record = encodeCell(cell)
        const path = cellPath(cell.id)
        return {
          id: toHex(cell.id),
          owner: cell.owner,
          balance: cell.balance.toString(),
          value: json(cell.value),
          record: toHex(record),
          valueHash: toHex(valueHash(record)),
          path: toHex(path),
          leaf: toHex(leafHash(path, valueHash(record))),
        }
      }),
      {
        module: 'counter',
        creator: toHex(account),
        salt: toHex(salt),
        madeId: toHex(cellId('counter', account, salt)),
      },
    ],
    refused: [
      refusal('an id of 31 bytes', encode([filler(31, 1), 'account', 0, null]), decodeCell),
      refusal('a balance of 2^128', encode([account, 'account', 1n << 128n, null]), decodeCell),
      refusal('a field too many', encode([account, 'account', 0, null, 0]), decodeCell),
    ],
  }
}
