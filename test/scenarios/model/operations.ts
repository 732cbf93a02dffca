import type { CborMap } from '../../../protocol/index.ts'
import type { Random } from '../random.ts'
import type { LedgerModel, Party } from './ledger-model.ts'

/** One action, and what the model says of it. */
export interface Step {
  readonly to: Uint8Array
  readonly call: string
  readonly args: CborMap
  readonly value: bigint
  /** Where the value ends; the sender itself if the action is refused. */
  readonly endsAt: Uint8Array
  readonly isRefused: boolean
  readonly weight?: number
  /** What the called cell pays besides. */
  readonly pays?: { readonly to: Uint8Array; readonly value: bigint }
}

/** What operations are chosen from. */
export interface World {
  readonly random: Random
  readonly model: LedgerModel
  readonly parties: readonly Party[]
  /** Whom the faucet listens to. */
  readonly operator: Party
  /** The faucet's cell, and what it pays at a time. */
  readonly faucet: Uint8Array
  readonly drip: bigint
}

/** Makes the actions of one transaction of a party. */
export type Operation = (world: World, party: Party) => readonly Step[]

const MOST = 5
/** Pays for the room of a diary, the first time. */
const DIARY_VALUE = 1_000n

const repeat = <T>(random: Random, make: () => T): T[] => Array.from({ length: random.between(1, MOST) }, make)

const transfer = ({ random, parties }: World): Step => {
  const to = random.pick(parties).key.publicKey
  const value = BigInt(random.pick([0, 1, random.below(1000), random.below(1_000_000)]))
  return { to, call: 'account.credit', args: {}, value, endsAt: to, isRefused: false }
}

/** A call of a module on a cell of another, or on one that it has not made: refused, and its value comes home. */
const bounced = ({ random, parties, faucet }: World, { key }: Party): Step => {
  const to = random.pick([random.pick(parties).key.publicKey, random.bytes(32), faucet])
  const args = { to: random.pick(parties).key.publicKey }
  const value = BigInt(random.below(100_000))
  return { to, call: 'faucet.drip', args, value, endsAt: key.publicKey, isRefused: true }
}

/** A module cell that only its maker may make: refused for anyone else. */
const foreignDiary = ({ random }: World, { key }: Party): Step => ({
  to: random.bytes(32),
  call: 'diary.note',
  args: { n: 0 },
  value: DIARY_VALUE,
  endsAt: key.publicKey,
  isRefused: true,
})

const note = (party: Party): Step => ({
  to: party.diary,
  call: 'diary.note',
  args: { n: party.noted++ },
  value: DIARY_VALUE,
  endsAt: party.diary,
  isRefused: false,
})

const engrave = (party: Party, weight: number): Step => {
  return { ...note(party), call: 'diary.engrave', args: { n: party.noted - 1, weight }, weight }
}

const dictate = (party: Party): Step => ({
  to: party.clerk,
  call: 'diary.dictate',
  args: { to: party.clerksDiary, n: party.dictated++ },
  value: DIARY_VALUE,
  endsAt: party.clerksDiary,
  isRefused: false,
})

/** What only the operator can do. */
export const PAY_OUT: Operation = ({ random, parties, faucet, drip }) =>
  repeat(random, () => {
    const to = random.pick(parties).key.publicKey
    const pays = { to, value: drip }
    return { to: faucet, call: 'faucet.drip', args: { to }, value: 0n, endsAt: faucet, isRefused: false, pays }
  })

/** What parties do, the common things more often. */
export const OPERATIONS: readonly Operation[] = [
  (world) => repeat(world.random, () => transfer(world)),
  (world) => repeat(world.random, () => transfer(world)),
  (world) => [transfer(world)],
  (world, party) => [bounced(world, party)],
  (world, party) => repeat(world.random, () => (world.random.percent(50) ? bounced(world, party) : transfer(world))),
  (world, party) => [foreignDiary(world, party)],
  ({ random }, party) => repeat(random, () => note(party)),
  ({ random }, party) => repeat(random, () => engrave(party, random.between(1, 18_000))),
  ({ random }, party) => repeat(random, () => dictate(party)),
]

/** As heavy as a transaction may be. Many of these at a time bring a shard more messages than a block has room for. */
export const FLOOD: Operation = (_world, party) => Array.from({ length: 4 }, () => engrave(party, 24_000))
