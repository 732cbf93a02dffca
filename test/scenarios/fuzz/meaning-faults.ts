import type { RefusalCode } from '../../../plugins/execution/api.ts'
import {
  type Action,
  type CborMap,
  type CborValue,
  MAX_REALM,
  type TransactionFields,
} from '../../../protocol/index.ts'
import { itemsOf, type Material, type Spoil, seal, sealItems } from './spoiled.ts'

const MOST = (1n << 128n) - 1n

/** A fault in one of the fields, canonical and signed. */
const wrong =
  (fault: string, code: RefusalCode, spoil: (material: Material) => Partial<TransactionFields>): Spoil =>
  (material) => ({
    fault,
    wire: seal({ ...material.valid(), ...spoil(material) }, material.key),
    expected: [code],
  })

/** A fault in the only action. */
const wrongAction = (fault: string, code: RefusalCode, spoil: (material: Material) => Partial<Action>): Spoil =>
  wrong(fault, code, (material) => ({ actions: [{ ...credit(material), ...spoil(material) }] }))

const credit = ({ random }: Material): Action => ({
  to: random.bytes(32),
  realm: 0,
  call: 'account.credit',
  args: {},
  value: BigInt(random.below(1000)),
})

/** A fault in one of the ten items, by place. */
const wrongItem =
  (fault: string, place: number, value: (material: Material) => CborValue): Spoil =>
  (material) => {
    const items = itemsOf(material.valid())
    items[place] = value(material)
    return { fault, wire: sealItems(items, material.key), expected: ['MALFORMED'] }
  }

const nested = (levels: number): CborValue => (levels === 0 ? 0 : [nested(levels - 1)])

/** Arguments that `account.credit` does not take. `__proto__` has to be an own key to be written at all. */
const UNWANTED: readonly CborMap[] = [
  { to: new Uint8Array(32) },
  { '': null },
  { a: nested(20) },
  Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i])),
  Object.fromEntries([['__proto__', { value: 1 }]]),
  { constructor: 'x' },
  { toString: 1, valueOf: 2 },
]

/** What `faucet.drip` cannot pay to. */
const NO_ADDRESS: readonly CborMap[] = [
  {},
  { to: null },
  { to: new Uint8Array(31) },
  { to: new Uint8Array(33) },
  { to: '0x00' },
  { to: 2n ** 100n },
  { to: new Uint8Array(32), more: 1 },
]

const NO_CALLS = [
  '',
  'account',
  'account.',
  '.credit',
  'account.Credit',
  'account.credit ',
  'account.__proto__',
  '__proto__',
  'constructor',
  'toString',
  'faucet.drip.drip',
  'root.transfer',
  'é'.repeat(32),
]

/** Faults of meaning: canonical and signed, and yet not to be had. */
export const MEANING_FAULTS: readonly Spoil[] = [
  ({ random, executed }) => ({ fault: 'replayed', wire: random.pick(executed), expected: 'REPEATED' }),
  wrong('of another network', 'WRONG_NETWORK', ({ random }) => ({ network: random.bytes(32) })),
  wrong('expired', 'EXPIRED', () => ({ validUntil: 0 })),
  wrong('nonce used', 'NONCE_USED', () => ({ nonce: 0 })),
  wrong('nonce 65 too far', 'NONCE_TOO_FAR', (material) => ({ nonce: material.valid().nonce + 65 })),
  wrong('nonce too far', 'NONCE_TOO_FAR', (material) => ({
    nonce: material.random.pick([material.random.between(1000, 2 ** 31), Number.MAX_SAFE_INTEGER]),
  })),
  wrong('fee too low', 'FEE_TOO_LOW', ({ random }) => ({ maxFee: BigInt(random.below(13)) })),
  wrongAction('unknown call', 'UNKNOWN_CALL', ({ random }) => ({ call: random.pick(NO_CALLS) })),
  wrongAction('arguments that the call has not', 'BAD_ARGUMENTS', ({ random }) => ({ args: random.pick(UNWANTED) })),
  wrongAction('no address to pay to', 'BAD_ARGUMENTS', ({ random }) => ({
    call: 'faucet.drip',
    args: random.pick(NO_ADDRESS),
  })),
  wrongAction('a realm that is not there', 'BAD_ARGUMENTS', ({ random }) => ({
    // The highest one is the root chain's.
    realm: random.pick([1, 255, 65_536, MAX_REALM - 1]),
  })),
  wrong('a sender in a realm that is not there', 'BAD_ARGUMENTS', ({ random }) => ({
    realm: random.pick([1, 24, 65_536, MAX_REALM]),
  })),
  wrongAction('overspending', 'INSUFFICIENT_FUNDS', ({ random }) => ({
    value: random.pick([10n ** 18n, 1n << 64n, 1n << 127n, MOST]),
  })),
  wrong('overspending by 256 actions', 'INSUFFICIENT_FUNDS', (material) => ({
    maxFee: MOST,
    actions: Array.from({ length: 256 }, () => ({ ...credit(material), value: MOST })),
  })),
  (material) => {
    const { publicKey } = material.stranger
    const fields = { ...material.valid(), sender: publicKey, key: publicKey, nonce: 0 }
    return { fault: 'a sender without coins', wire: seal(fields, material.stranger), expected: ['INSUFFICIENT_FUNDS'] }
  },
  (material) => ({
    fault: 'signed by a key that is not the sender’s',
    wire: seal({ ...material.valid(), key: material.stranger.publicKey }, material.stranger),
    expected: ['KEY_NOT_AUTHORISED'],
  }),
  wrong('no actions', 'MALFORMED', () => ({ actions: [] })),
  wrong('257 actions', 'MALFORMED', (material) => ({ actions: Array.from({ length: 257 }, () => credit(material)) })),
  wrong('lane 256', 'MALFORMED', () => ({ lane: 256 })),
  wrong('a fee of 2^128', 'MALFORMED', () => ({ maxFee: 1n << 128n })),
  wrongAction('a value of 2^128', 'MALFORMED', () => ({ value: 1n << 128n })),
  wrongAction('a value of 60,000 digits', 'MALFORMED', () => ({ value: 1n << 200_000n })),
  wrongAction('a negative value', 'MALFORMED', () => ({ value: -1n })),
  wrongAction('a receiver of 31 bytes', 'MALFORMED', () => ({ to: new Uint8Array(31) })),
  wrongAction('a call of 65 bytes', 'MALFORMED', () => ({ call: 'x'.repeat(65) })),
  wrongItem('version 2', 0, () => 2),
  wrongItem('a nonce of 2^53', 6, () => 1n << 53n),
  wrongItem('a negative nonce', 6, () => -1),
  wrongItem('a fee as text', 8, () => '10000'),
  wrongItem('actions that are a map', 9, () => ({})),
  wrongItem('null for a sender', 3, () => null),
]
