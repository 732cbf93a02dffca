import nacl from 'tweetnacl'
import {
  concat,
  type DecodeOptions,
  decodeTransaction,
  encodeTransaction,
  encodeUnsigned,
  signingBytes,
  signingBytesOf,
  type TransactionFields,
  toHex,
  unsignedOf,
} from '../../../protocol/index.ts'
import { filler, json, keyPair, refusal, type VectorFile } from '../vector.ts'

const sender = keyPair(1)
const session = keyPair(2)
const network = filler(32, 7)

const transfer: TransactionFields = {
  network,
  realm: 0,
  sender: sender.publicKey,
  key: sender.publicKey,
  lane: 0,
  nonce: 0,
  validUntil: 600,
  maxFee: 1_000_000n,
  actions: [{ to: keyPair(3).publicKey, realm: 0, call: 'account.credit', args: {}, value: 5_000_000_000n }],
}

const signed: readonly (readonly [string, TransactionFields, ReturnType<typeof keyPair>])[] = [
  ['a transfer', transfer, sender],
  [
    'a session key, a far nonce, two actions with arguments, the largest amounts',
    {
      ...transfer,
      realm: 70_000,
      key: session.publicKey,
      lane: 255,
      nonce: Number.MAX_SAFE_INTEGER,
      validUntil: Number.MAX_SAFE_INTEGER,
      maxFee: (1n << 128n) - 1n,
      actions: [
        { to: filler(32, 9), realm: 0, call: 'counter.add', args: { by: 3, note: 'ü', list: [true, null] }, value: 0n },
        { to: filler(32, 10), realm: 0xffffffff, call: 'a.b', args: { data: filler(40, 1) }, value: (1n << 128n) - 1n },
      ],
    },
    session,
  ],
]

function sign(fields: TransactionFields, keys: ReturnType<typeof keyPair>): Uint8Array {
  const unsigned = encodeUnsigned(fields)
  return encodeTransaction(unsigned, nacl.sign.detached(signingBytes(unsigned), keys.secretKey))
}

export function transactionVectors(): VectorFile {
  const wire = sign(transfer, sender)
  const read = (options?: DecodeOptions) => (bytes: Uint8Array) => decodeTransaction(bytes, options)
  const spoiled = wire.slice()
  spoiled[1] = 2
  return {
    format: 'transaction',
    about:
      'unsigned = CBOR[1, network, realm, sender, key, lane, nonce, validUntil, maxFee, actions], an action [to, realm, call, args, value]; signature = ed25519 over "deaios/tx/1\\0" || unsigned; wire = CBOR of the ten items and the signature; id = SHA-256("deaios/id/1\\0" || unsigned). The secret seeds are public: never use them.',
    cases: signed.map(([name, fields, keys]) => {
      const bytes = sign(fields, keys)
      const transaction = decodeTransaction(bytes)
      return {
        name,
        seed: toHex(keys.secretKey.slice(0, 32)),
        network: toHex(fields.network),
        realm: fields.realm,
        sender: toHex(fields.sender),
        key: toHex(fields.key),
        lane: fields.lane,
        nonce: fields.nonce,
        validUntil: fields.validUntil,
        maxFee: fields.maxFee.toString(),
        actions: fields.actions.map((action) => ({
          to: toHex(action.to),
          realm: action.realm,
          call: action.call,
          args: json(action.args),
          value: action.value.toString(),
        })),
        unsigned: toHex(unsignedOf(transaction)),
        signingBytes: toHex(signingBytesOf(transaction)),
        signature: toHex(transaction.signature),
        id: toHex(transaction.id),
        wire: toHex(bytes),
      }
    }),
    refused: [
      refusal('cut short', wire.subarray(0, wire.length - 1), read()),
      refusal('a byte behind', concat(wire, new Uint8Array(1)), read()),
      refusal('version 2', spoiled, read()),
      refusal('version 1 in two bytes', concat(wire.subarray(0, 1), new Uint8Array([0x18]), wire.subarray(1)), read()),
      refusal(`on a network other than ${toHex(filler(32, 8))}`, wire, read({ network: filler(32, 8) })),
    ],
  }
}
