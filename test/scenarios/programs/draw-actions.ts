import { type Action, cellId } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import type { RootHistory } from '../paper/root-history.ts'
import type { Random } from '../random.ts'
import { type PlannedModule, REGISTER_END, saltOf } from './program.ts'

/** What actions are drawn from. */
export interface Material {
  readonly random: Random
  readonly plans: readonly PlannedModule[]
  readonly salted: ReadonlySet<string>
  readonly parties: readonly SigningKey[]
  readonly history: RootHistory
}

/** The most actions of a transaction, and the most that one carries. */
const MOST_ACTIONS = 4
const MOST_VALUE = 20_000

/** The version of each random module that the network uses at a root height, by its name. */
export function usedAt({ plans, history }: Material, height: number): PlannedModule[] {
  const { modules } = history.at(Number.POSITIVE_INFINITY)
  return plans.filter(({ name, version }) => modules.get(name)?.findLast(([, from]) => from <= height)?.[0] === version)
}

/** The actions of a transaction: mostly calls of random modules, some payments. */
export function drawActions(material: Material, used: readonly PlannedModule[], signer: SigningKey): Partial<Action>[] {
  const { random } = material
  return Array.from({ length: random.between(1, MOST_ACTIONS) }, () =>
    random.percent(15) ? drawPayment(material) : drawCall(material, used, signer),
  )
}

/** So much work for one cell that its shard cannot do it all at once. */
export function drawFlood({ random }: Material, used: readonly PlannedModule[], to: Uint8Array): Partial<Action>[] {
  const { name } = random.pick(used)
  return Array.from({ length: MOST_ACTIONS }, () => {
    return { to, realm: 0, call: `${name}.heavy`, args: { n: random.below(1000), to }, value: drawValue(random) }
  })
}

const drawValue = (random: Random): bigint => BigInt(random.pick([0, random.below(300), random.below(MOST_VALUE)]))

/** Some realms may not be there: nobody can send to those. */
function drawRealm({ random, history }: Material): number {
  const realms = [...history.pages.realms.keys()]
  return random.percent(70) ? 0 : random.pick(realms)
}

function drawPayment(material: Material): Partial<Action> {
  const { random, parties } = material
  return { to: random.pick(parties).publicKey, realm: drawRealm(material), value: drawValue(random) }
}

function drawCall(material: Material, used: readonly PlannedModule[], signer: SigningKey): Partial<Action> {
  const { random, parties } = material
  const { name, calls } = random.pick(used)
  const [call, { most }] = random.pick(Object.entries(calls).filter(([key]) => key !== 'heavy' || random.percent(10)))
  const n = random.below(Math.min(most, REGISTER_END) + 1)
  const isSalted = material.salted.has(`${name}.${call}`)
  const others = random.pick(parties)
  const [namesake] = [...material.history.pages.realms.keys()].filter((realm) => realm > 0 && random.percent(50))
  const isNamesake = namesake !== undefined && random.percent(8)
  const ids = [
    ...Array.from({ length: 6 }, () => cellId(name, signer.publicKey, saltOf(isSalted, n))),
    cellId(name, others.publicKey, saltOf(isSalted, n)),
    others.publicKey,
    signer.publicKey,
    random.bytes(32),
  ]
  // A cell with the id of whoever signs, in another realm, is somebody else's.
  const place = isNamesake
    ? { to: signer.publicKey, realm: namesake }
    : { to: random.pick(ids), realm: drawRealm(material) }
  const to = random.pick([others.publicKey, cellId(random.pick(used).name, others.publicKey, new Uint8Array(0))])
  return { ...place, call: `${name}.${call}`, args: { n, to }, value: drawValue(random) }
}
