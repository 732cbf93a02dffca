import { randomBytes } from 'node:crypto'
import { createTestChain, type TestChain, testKey } from '../../plugins/execution/testing.ts'
import type { Benchmark } from '../benchmark.ts'
import { figure } from '../figure.ts'
import { median } from '../percentile.ts'

const CELLS = 1_000_000
const SPLITS = 3
const PAYERS = 16
const LULL_MS = 1_500
/** As nodes have it unless they are told otherwise. */
const ROOT_INTERVAL_MS = 100
const BALANCE = 10n ** 9n

/** How long nobody's transactions are included while a shard with many cells is split. */
export const split: Benchmark = {
  name: 'execution.split',
  description: `a shard of ${CELLS.toLocaleString('en')} cells is split while accounts pay each other: the longest wait of any of them`,
  async *run(bench) {
    const payers = Array.from({ length: PAYERS }, (_, i) => testKey(`payer ${i}`))
    const { cells = CELLS } = bench.options
    const strangers = Array.from({ length: cells }, () => ({ address: new Uint8Array(randomBytes(32)), balance: 1n }))
    const accounts = [...payers.map(({ publicKey }) => ({ address: publicKey, balance: BALANCE })), ...strangers]
    bench.say(`founding a network of ${cells} cells in one shard`)
    const net = await createTestChain({ shards: 1, plan: { accounts }, parts: { rootIntervalMs: ROOT_INTERVAL_MS } })
    bench.scope.defer(() => net.close())
    const pauses: number[] = []
    const usual: number[] = []
    let shard = '0:'
    const over = new AbortController()
    const waits = payers.map(() => [] as { readonly at: number; readonly ms: number }[])
    const paying = Promise.all(payers.map((_, i) => pay(net, payers, i, waits[i] ?? [], over.signal)))
    for (let round = 0; round < SPLITS; round++) {
      await lull()
      const began = performance.now()
      await net.split(shard)
      await lull()
      const longest = Math.max(...waits.flatMap((own) => own.filter(({ at }) => at >= began).map(({ ms }) => ms)))
      usual.push(median(waits.flatMap((own) => own.filter(({ at }) => at < began).map(({ ms }) => ms))))
      pauses.push(longest)
      bench.say(`split ${shard} (1/${2 ** round} of the cells): longest wait ${Math.round(longest)} ms`)
      for (const own of waits) own.length = 0
      shard = net.chain.shardOf(0, payers[0]?.publicKey ?? new Uint8Array(32)) ?? shard
    }
    over.abort()
    await paying
    yield figure({
      name: `longest wait for inclusion while ${cells} cells are split`,
      value: pauses[0] ?? 0,
      unit: 'ms',
      reference: { name: 'wait for inclusion otherwise, median', value: median(usual) },
      target: { atMost: 3_000 },
    })
  },
}

const lull = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LULL_MS))

/** One account pays the next one, over and over, and notes how long each payment took to be included. */
async function pay(
  net: TestChain,
  payers: readonly ReturnType<typeof testKey>[],
  i: number,
  waits: { readonly at: number; readonly ms: number }[],
  signal: AbortSignal,
): Promise<void> {
  const [from, to] = [payers[i], payers[(i + 1) % payers.length]]
  if (from === undefined || to === undefined) return
  for (let nonce = 0; !signal.aborted; nonce++) {
    const at = performance.now()
    await net.chain.submit([net.transfer(from, to, 1n, nonce)], { wait: 'INCLUDED' })
    waits.push({ at: performance.now(), ms: performance.now() - at })
  }
}
