import { concat, equal, MAX_TRANSACTION_BYTES } from '../../../protocol/index.ts'
import { type Material, type Spoil, seal } from './spoiled.ts'

/** What random damage can come to: it breaks the form, names another network, or breaks the signature. */
const DAMAGED = ['MALFORMED', 'NOT_CANONICAL', 'WRONG_NETWORK', 'BAD_SIGNATURE'] as const
const SIGNATURE = 64

/** Good bytes to damage: half of them executed before, half never seen. */
function good({ random, executed, valid, key }: Material): Uint8Array {
  return random.percent(50) ? random.pick(executed) : seal(valid(), key)
}

const bitFlips: Spoil = (material) => {
  const wire = good(material).slice()
  const places = new Set(
    Array.from({ length: material.random.between(1, 8) }, () => material.random.below(wire.length * 8)),
  )
  for (const place of places) wire[place >> 3]! ^= 1 << (place & 7)
  return { fault: 'bit flips', wire, expected: DAMAGED }
}

const signatureFlip: Spoil = (material) => {
  const wire = good(material).slice()
  const place = material.random.below(SIGNATURE * 8)
  wire[wire.length - SIGNATURE + (place >> 3)]! ^= 1 << (place & 7)
  return { fault: 'bit flip in the signature', wire, expected: ['BAD_SIGNATURE'] }
}

const truncation: Spoil = (material) => {
  const wire = good(material)
  return { fault: 'truncation', wire: wire.slice(0, material.random.below(wire.length)), expected: ['MALFORMED'] }
}

const appendix: Spoil = (material) => {
  const more = material.random.bytes(material.random.between(1, 40))
  return { fault: 'bytes behind the end', wire: concat(good(material), more), expected: ['MALFORMED'] }
}

const splice: Spoil = (material) => {
  const { random, executed } = material
  const head = random.pick(executed)
  const tail = good(material)
  const wire = concat(head.subarray(0, random.between(1, head.length)), tail.subarray(random.below(tail.length)))
  const isWhole = equal(wire, head) || equal(wire, tail)
  // The two may have been cut where they agree, and one of them came out whole.
  return isWhole ? bitFlips(material) : { fault: 'splice', wire, expected: DAMAGED }
}

const deletion: Spoil = (material) => {
  const wire = good(material)
  const from = material.random.below(wire.length)
  const to = Math.min(wire.length, from + material.random.between(1, 16))
  return { fault: 'deletion', wire: concat(wire.subarray(0, from), wire.subarray(to)), expected: DAMAGED }
}

const insertion: Spoil = (material) => {
  const wire = good(material)
  const at = material.random.below(wire.length)
  const more = material.random.bytes(material.random.between(1, 16))
  return { fault: 'insertion', wire: concat(wire.subarray(0, at), more, wire.subarray(at)), expected: DAMAGED }
}

const noise: Spoil = ({ random }) => ({
  fault: 'noise',
  wire: random.bytes(random.below(400)),
  expected: ['MALFORMED', 'NOT_CANONICAL'],
})

const oversize: Spoil = (material) => {
  const { random } = material
  const length = MAX_TRANSACTION_BYTES + random.pick([1, 1, 2, 1000])
  const wire = concat(good(material), new Uint8Array(length)).subarray(0, length)
  return { fault: 'oversize', wire, expected: ['TOO_LARGE'] }
}

/** The order of the group: S + L passes a check that does not look. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n

const mauledSignature: Spoil = ({ random, executed }) => {
  const wire = random.pick(executed).slice()
  const s = wire.subarray(wire.length - 32)
  let value = L
  for (let i = 0; i < 32; i++) value += BigInt(s[i]!) << BigInt(8 * i)
  for (let i = 0; i < 32; i++) s[i] = Number((value >> BigInt(8 * i)) & 255n)
  return { fault: 'another signature for the same id', wire, expected: ['BAD_SIGNATURE'] }
}

const smallOrderKey: Spoil = ({ valid }) => {
  // The neutral element as key and as R, with S = 0: a verifier that does not refuse such keys takes any message.
  const neutral = Uint8Array.of(1, ...new Uint8Array(31))
  const forged = concat(neutral, new Uint8Array(32))
  const nobody = { publicKey: neutral, secretKey: new Uint8Array(64) }
  const wire = seal({ ...valid(), sender: neutral, key: neutral }, nobody).slice()
  wire.set(forged, wire.length - SIGNATURE)
  return { fault: 'key of small order', wire, expected: ['BAD_SIGNATURE'] }
}

const otherSigner: Spoil = ({ valid, stranger }) => ({
  fault: 'signed by another key',
  wire: seal(valid(), stranger),
  expected: ['BAD_SIGNATURE'],
})

const borrowedSignature: Spoil = (material) => {
  const wire = seal(material.valid(), material.key).slice()
  const other = material.random.pick(material.executed)
  wire.set(other.subarray(other.length - SIGNATURE), wire.length - SIGNATURE)
  return { fault: 'signature of another transaction', wire, expected: ['BAD_SIGNATURE'] }
}

/** Faults in the bytes and in the signature. */
export const BYTE_FAULTS: readonly Spoil[] = [
  bitFlips,
  signatureFlip,
  truncation,
  appendix,
  splice,
  deletion,
  insertion,
  noise,
  oversize,
  mauledSignature,
  smallOrderKey,
  otherSigner,
  borrowedSignature,
]
