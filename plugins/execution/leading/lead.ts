import { FencedError, type Host, type JobRun, leaseName, pause } from '../../../server/plugin.ts'
import { Chain } from '../chain.ts'
import type { ChainParts } from '../chain-parts.ts'
import { Cells, CHAIN_JOB, Faucet, Proof, Simulate, Snapshots, States, Submit, Watch } from './calls.ts'
import { snapshotsOf } from './snapshot.ts'

/** A leader whose write was refused hears within this time that its lease is lost. */
const TOLD_WITHIN_MS = 4_000

/** What this node makes blocks with. */
export type LeaderParts = Omit<ChainParts, 'fence' | 'onFenced'>

/**
 * Makes the blocks, and answers all nodes, until the run is over.
 * @param onChain told of the chain when it runs, and of its end (undefined) before it is torn down
 * @throws ShardHostError if the stored state is not sound, or whatever the database says
 */
export async function lead(
  run: JobRun,
  host: Host,
  parts: LeaderParts,
  onChain: (chain: Chain | undefined) => void,
): Promise<void> {
  // Over as soon as one write was refused: what comes after it in this thread must not be told to anybody.
  const fenced = new AbortController()
  const term = AbortSignal.any([run.signal, fenced.signal])
  const chain = await Chain.open({
    ...parts,
    fence: { lease: leaseName(host.name, CHAIN_JOB), fence: run.fence },
    onFenced: () => fenced.abort(new FencedError('another node makes the blocks now')),
  })
  const over = aborted(term)
  // While shards read their state back the lease may be lost, too.
  const abandoned = over.then(() => (isLost(term) ? chain.abandon() : undefined))
  try {
    await chain.start()
  } catch (error) {
    if (!term.aborted) throw error
    await abandoned
    return
  }
  serve(host, chain, term)
  if (!term.aborted) onChain(chain)
  await over
  onChain(undefined)
  if (isLost(term)) await abandoned
  else await chain.stop()
  if (!run.signal.aborted) await pause(TOLD_WITHIN_MS, run.signal)
}

function serve({ peers }: Host, chain: Chain, signal: AbortSignal): void {
  peers.serve(Submit, signal, ({ wires, wait }, cancelled) => chain.submit(wires, { wait, signal: cancelled }))
  peers.serve(Simulate, signal, (bytes) => chain.simulate(own(bytes)))
  peers.serve(States, signal, (ids) => chain.states(ids.map(own)))
  peers.serve(Cells, signal, ({ realm, ids }) => chain.cells(realm, ids.map(own)))
  peers.serve(Proof, signal, ({ realm, id }) => chain.proof(realm, own(id)))
  peers.serve(Faucet, signal, (address) => chain.faucet(own(address)))
  peers.serveStream(Watch, signal, (id, cancelled) => chain.watch(own(id), cancelled))
  peers.serveStream(Snapshots, signal, (_nothing, cancelled) => snapshotsOf(chain, cancelled))
}

/** Bytes with a buffer of their own: what is posted to a shard's thread is copied with all of its buffer. */
const own = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.from(bytes)

/** Another node may lead; otherwise this one stops, and ends what it has begun. */
const isLost = ({ reason }: AbortSignal): boolean =>
  reason instanceof Error && 'code' in reason && (reason.code === 'LEASE_LOST' || reason.code === 'FENCED')

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
