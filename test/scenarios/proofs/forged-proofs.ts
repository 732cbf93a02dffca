import { strict as assert } from 'node:assert'
import { RootProofs } from '../../../plugins/execution/proofs/root-proofs.ts'
import { createTestChain, type TestChain, testKey } from '../../../plugins/execution/testing.ts'
import { cellId, ProofInvalidError, ROOT_REALM, rootOfProof } from '../../../protocol/index.ts'
import { thenClose } from '../first-error.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { ProofQuestions, type Proven } from './proof-questions.ts'

const payers = Array.from({ length: 24 }, (_, i) => testKey(`payer ${i}`))
/** Bytes of a proof that are flipped at reduced count; all of them in a soak. */
const FLIPS = 40

/** Real proofs of every kind, from a ledger that was split and has a second realm, spoiled in every way. */
export const forgedProofs: Scenario = {
  name: 'execution/forged-proofs',
  claim: 'proofs hold for the root header that they lead to, and with any byte changed for none',
  unit: 'proofs',
  counts: { full: 1_000, reduced: 60 },
  async run({ count, isFull, random, progress }) {
    const accounts = payers.map((key) => ({ key, balance: 10n ** 9n }))
    const net = await createTestChain({ accounts, plan: { realmBond: 10n } })
    const forged = async () => {
      await live(net, random)
      const proofs = new RootProofs(
        () => net.sql,
        () => net.chain.rootHeight(),
      )
      const questions = await ProofQuestions.of(net, proofs)
      const counts: Record<string, number> = {}
      let forgeries = 0
      let last: Proven | undefined
      for (let done = 0; done < count; done++) {
        const proven = await questions.ask(random)
        const trusted = await trustedAt(net, rootOfProof(proven.bytes).root.height)
        proven.check(proven.bytes, trusted)
        const places = isFull
          ? [...proven.bytes.keys()]
          : Array.from({ length: FLIPS }, () => random.below(proven.bytes.length))
        for (const at of places) {
          const forged = proven.bytes.slice()
          forged[at]! ^= random.between(1, 255)
          refuses(proven, forged, trusted)
        }
        refuses(proven, proven.bytes.subarray(0, random.below(proven.bytes.length)), trusted)
        refuses(proven, proven.bytes, await trustedAt(net, rootOfProof(proven.bytes).root.height - 1))
        if (last !== undefined && last.kind !== proven.kind) refuses(proven, last.bytes, trusted)
        forgeries += places.length + 2
        counts[proven.kind] = (counts[proven.kind] ?? 0) + 1
        last = proven
        if (done % 50 === 0) progress(`${done} of ${count}`)
      }
      return { ...counts, forgeries }
    }
    return thenClose(forged, () => net.close())
  },
}

/** Payments across shards, a realm, a refused one, whose value comes back from the root chain, and a split. */
async function live(net: TestChain, random: Random): Promise<void> {
  const nonces = new Map(payers.map((key) => [key, 0]))
  const next = (key: (typeof payers)[number]): number => {
    const nonce = nonces.get(key) ?? 0
    nonces.set(key, nonce + 1)
    return nonce
  }
  const pay = async (): Promise<void> => {
    const wires = Array.from({ length: 60 }, () => {
      const from = random.pick(payers)
      return net.transfer(from, random.pick(payers), 5n, next(from))
    })
    await net.chain.submit(wires, { wait: 'EXECUTED' })
  }
  await pay()
  for (const expected of ['EXECUTED', 'FAILED']) {
    const key = payers[0] as (typeof payers)[number]
    const to = cellId('realm', key.publicKey, new TextEncoder().encode('games'))
    const action = { realm: ROOT_REALM, to, call: 'realm.create', args: { name: 'games' }, value: 100_000n }
    const wire = net.sign({ key, nonce: next(key), actions: [action] })
    const [outcome] = await net.chain.submit([wire], { wait: 'EXECUTED' })
    assert.equal(outcome?.kind === 'accepted' && outcome.status, expected)
  }
  await net.split('0:0')
  await pay()
  await net.settled()
}

function refuses({ kind, check }: Proven, forged: Uint8Array, trusted: Uint8Array): void {
  try {
    check(forged, trusted)
  } catch (error) {
    assert.ok(error instanceof ProofInvalidError, `a forged proof of ${kind} broke its check: ${String(error)}`)
    return
  }
  assert.fail(`a forged proof of ${kind} was taken`)
}

/** The hash of a root block, as a client that follows the root chain has it. */
async function trustedAt(net: TestChain, height: number): Promise<Uint8Array> {
  const [row] = await net.sql<{ hash: Uint8Array }[]>`SELECT hash FROM root_block WHERE height = ${height}`
  return row?.hash ?? new Uint8Array(32)
}
