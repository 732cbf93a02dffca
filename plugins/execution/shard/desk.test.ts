import { expect, it } from 'vitest'
import { encodeTransaction, encodeUnsigned, signingBytes } from '../../../protocol/index.ts'
import { sign } from '../../../server/crypto/ed25519.ts'
import { CallRegistry } from '../ledger/registry.ts'
import { account } from '../modules/account.ts'
import { CellStore } from '../state/cell-store.ts'
import { newCell } from '../state/ledger-cell.ts'
import { testKey } from '../testing.ts'
import { Barred } from './barred.ts'
import { ADMITTED, type BatchAdmission } from './batch.ts'
import { Desk } from './desk.ts'
import { MEMPOOL_LIMITS, Mempool } from './mempool.ts'
import { RunMarks } from './run-marks.ts'

const alice = testKey('alice')
const zero = new Uint8Array(32)

/** Payments of Alice with these nonces, packed as the node packs them. */
function packed(nonces: readonly number[]) {
  const wires = nonces.map((nonce) => {
    const { publicKey } = alice
    const actions = [{ to: publicKey, realm: 0, call: 'account.credit', args: {}, value: 0n }]
    const bounds = { lane: 0, nonce, validUntil: 1000, maxFee: 1000n }
    const unsigned = encodeUnsigned({ network: zero, realm: 0, sender: publicKey, key: publicKey, ...bounds, actions })
    return encodeTransaction(unsigned, sign(signingBytes(unsigned), alice))
  })
  const ids = new Uint8Array(32 * nonces.length)
  for (const [i, nonce] of nonces.entries()) ids.fill(nonce + 1, 32 * i, 32 * i + 32)
  return { ids, lengths: Uint32Array.from(wires, ({ length }) => length), data: new Uint8Array(Buffer.concat(wires)) }
}

it('takes nothing before what its parent had, however long that takes to look up', async () => {
  const cells = new CellStore({ cacheSize: 10 })
  cells.load({ ...newCell(alice.publicKey, cells.pathOf('alice', alice.publicKey), 0), balance: 1_000_000n })
  const mempool = new Mempool(MEMPOOL_LIMITS, () => undefined)
  const admissions: BatchAdmission[] = []
  const waiting: (() => void)[] = []
  const registry = new CallRegistry([account])
  const params = { basePrice: 1n, depositPerByte: 1n, treasury: { realm: 0, id: zero } }
  const desk = new Desk({
    engine: {
      ...{ pricing: { registry, params, realms: new Set([0]) }, price: 1n, rootHeight: 0, cells, mempool },
      // The first look-up is the larger one.
      load: () => (waiting.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve))),
    },
    marks: new RunMarks(),
    barred: new Barred(),
    report: (report) => report.type === 'admitted' && admissions.push(report.admission),
    onWork: () => undefined,
    isStopping: () => false,
  })
  const inherited = Array.from({ length: 64 }, (_, nonce) => nonce)
  const adopted = desk.adopt(packed(inherited))
  const submitted = desk.submit({ batch: 1, wait: false, ...packed([70, 64]) })
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  waiting[0]?.()
  await Promise.all([adopted, submitted])
  expect([...(admissions[0]?.results ?? [])]).toEqual([ADMITTED, ADMITTED])
  const room = { count: 1000, bytes: 1e6, weight: 1e6 }
  expect(mempool.take(room).map(({ transaction }) => transaction.nonce)).toEqual([...inherited, 64])
})
