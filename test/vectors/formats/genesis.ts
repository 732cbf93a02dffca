import { decodeGenesis, encodeGenesis, type Genesis, networkId, toHex } from '../../../protocol/index.ts'
import { filler, json, keyPair, refusal, type VectorFile } from '../vector.ts'

const genesis: Genesis = {
  name: 'vectors',
  kind: 'development',
  time: 1_750_000_000_000,
  validators: [keyPair(4).publicKey, keyPair(5).publicKey],
  quorum: 2,
  anchor: filler(32, 1),
  params: { basePrice: 250, blockWeight: 1_000_000 },
  shards: ['0:0', '0:1'],
  cells: [{ realm: 0, id: filler(32, 2), owner: 'faucet', balance: 10n ** 27n, value: null }],
  modules: [
    { name: 'account', version: 1, activeFrom: 0 },
    { name: 'faucet', version: 1, activeFrom: 0 },
  ],
}

export function genesisVectors(): VectorFile {
  const encoded = encodeGenesis(genesis)
  return {
    format: 'genesis',
    about:
      'CBOR["deaios", 1, name, kind, time in ms, validators, quorum, anchor, params, shards, cells as [realm, id, owner, balance, value], modules as [name, version, activeFrom]]; the network\'s id = SHA-256("deaios/genesis/1\\0" || CBOR).',
    cases: [
      {
        name: genesis.name,
        kind: genesis.kind,
        time: genesis.time,
        validators: genesis.validators.map(toHex),
        quorum: genesis.quorum,
        anchor: toHex(genesis.anchor),
        params: json(genesis.params),
        shards: genesis.shards,
        cells: genesis.cells.map((cell) => json([cell.realm, cell.id, cell.owner, cell.balance, cell.value])),
        modules: genesis.modules.map((module) => [module.name, module.version, module.activeFrom]),
        bytes: toHex(encoded),
        networkId: toHex(networkId(encoded)),
      },
    ],
    refused: [
      refusal('a quorum that cannot be met', encodeGenesis({ ...genesis, quorum: 3 }), decodeGenesis),
      refusal(
        'a validator twice',
        encodeGenesis({ ...genesis, validators: [filler(32, 1), filler(32, 1)] }),
        decodeGenesis,
      ),
      refusal('a shard that is none', encodeGenesis({ ...genesis, shards: ['0'] }), decodeGenesis),
    ],
  }
}
