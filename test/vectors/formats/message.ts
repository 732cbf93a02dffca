import {
  cellPath,
  decodeMessage,
  encodeMessage,
  encodeOutItem,
  listRoot,
  type Message,
  type OutItem,
  toHex,
} from '../../../protocol/index.ts'
import { filler, json, keyPair, refusal, type VectorFile } from '../vector.ts'

const call: Message = {
  kind: 'call',
  origin: filler(32, 1),
  action: 2,
  from: keyPair(1).publicKey,
  fromRealm: 0,
  module: 'account',
  to: keyPair(3).publicKey,
  realm: 0,
  call: 'account.credit',
  args: {},
  value: 5_000_000_000n,
  payer: keyPair(1).publicKey,
  payerRealm: 0,
  code: '',
}

const messages: readonly (readonly [string, Message])[] = [
  ['a call', call],
  ['a bounce', { ...call, kind: 'bounce', from: call.to, to: call.from, code: 'NO_SUCH_CELL' }],
  ['a call that no transaction made', { ...call, origin: new Uint8Array(0), args: { height: 12 }, value: 0n }],
]

export function messageVectors(): VectorFile {
  const items: OutItem[] = messages
    .map(([, message], index) => ({ realm: message.realm, destPath: cellPath(message.to), index, message }))
    .sort((a, b) => (toHex(a.destPath) < toHex(b.destPath) ? -1 : 1))
  return {
    format: 'message',
    about:
      'CBOR[kind (0 call, 1 bounce), origin, action, from, fromRealm, module, to, realm, call, args, value, payer, payerRealm, code]. An out item is CBOR[realm, destPath, index, message], the message nested; a block sorts them by the first three and commits the list root over them.',
    cases: [
      ...messages.map(([name, message]) => ({
        name,
        kind: message.kind,
        origin: toHex(message.origin),
        action: message.action,
        from: toHex(message.from),
        fromRealm: message.fromRealm,
        module: message.module,
        to: toHex(message.to),
        realm: message.realm,
        call: message.call,
        args: json(message.args),
        value: message.value.toString(),
        payer: toHex(message.payer),
        payerRealm: message.payerRealm,
        code: message.code,
        bytes: toHex(encodeMessage(message)),
      })),
      {
        name: 'out items of a block',
        outItems: items.map((item) => ({
          realm: item.realm,
          destPath: toHex(item.destPath),
          index: item.index,
          bytes: toHex(encodeOutItem(item)),
        })),
        outRoot: toHex(listRoot(items.map(encodeOutItem))),
      },
    ],
    refused: [
      refusal('a call with a refusal code', encodeMessage({ ...call, code: 'X' }), decodeMessage),
      refusal('a bounce without one', encodeMessage({ ...call, kind: 'bounce' }), decodeMessage),
      refusal('an origin of 31 bytes', encodeMessage({ ...call, origin: filler(31, 1) }), decodeMessage),
    ],
  }
}
