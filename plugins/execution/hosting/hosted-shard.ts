import { type Log, pause } from '../../../server/plugin.ts'
import type { RootMoment } from '../root/root-moment.ts'
import type { Handover } from '../shard/handover.ts'
import type { ShardReport, ShardRequest } from '../shard/messages.ts'
import type { ShardSeed } from '../shard/shard-seed.ts'
import type { ShardWorkerData } from '../shard/worker.ts'
import { FINAL_CODES, WorkerShardHost } from '../shard/worker-host.ts'
import { type Explanation, explain } from './explain.ts'
import { HostError } from './host-store.ts'
import type { FromHost } from './messages.ts'

const RETRY_MS = 300
const MAX_RETRY_MS = 5_000

export interface HostedShardParts {
  readonly data: Omit<ShardWorkerData, 'root'>
  /** What each start needs to know of the root chain. @throws HostError if the shard can never start here */
  readonly root: () => Promise<RootMoment>
  readonly log: Log
  readonly send: (message: FromHost) => void
  /** What the shard hands over when it is split stays here, where its children go on. */
  readonly keep: (child: string, seed: ShardSeed) => void
}

/**
 * One shard in a thread of a shard host, and how it speaks to the leader. A thread that crashes is started again here;
 * the leader hears of it as of one of its own.
 */
export class HostedShard {
  readonly #parts: HostedShardParts
  readonly #over = new AbortController()
  #host: WorkerShardHost | undefined
  #wasReady = false
  /** The last status that was told. */
  #told = ''

  constructor(parts: HostedShardParts) {
    this.#parts = parts
  }

  /** Starts it; tries again for as long as trying may help. */
  async run(): Promise<void> {
    const { signal } = this.#over
    for (let wait = RETRY_MS; !signal.aborted; wait = Math.min(2 * wait, MAX_RETRY_MS)) {
      const host = this.#make()
      this.#host = host
      try {
        return await host.start()
      } catch (error) {
        if (signal.aborted || this.#wasReady) return
        const reason = explain(error)
        const isFinal = FINAL_CODES.has(reason.code) || error instanceof HostError
        this.#status(isFinal ? 'STOPPED' : 'RESTARTING', reason)
        if (isFinal) return
        this.#parts.log.warn({ shard: this.#parts.data.shard, error: reason }, 'a shard cannot start yet; trying again')
        await pause(wait, signal)
      }
    }
  }

  take(request: ShardRequest): void {
    const host = this.#host
    switch (request.type) {
      case 'submit': {
        const { batch } = request.batch
        if (host?.submit(request.batch) === true) return
        return this.#report({ type: 'batch-failed', batch, ...UNAVAILABLE })
      }
      case 'root':
        return host?.deliver(request.delivery)
      case 'adopt':
        return host?.adopt(request.pool)
      case 'ask': {
        const { id, question } = request
        if (host === undefined) return this.#report({ type: 'failed-answer', id, ...UNAVAILABLE })
        host.ask(question).then(
          (answer) => this.#report({ type: 'answer', id, answer }),
          (error: unknown) => this.#report({ type: 'failed-answer', id, ...explain(error) }),
        )
        return
      }
      case 'stop':
        return void this.stop()
    }
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await this.#host?.stop()
  }

  async abandon(): Promise<void> {
    this.#over.abort()
    await this.#host?.abandon()
  }

  #make(): WorkerShardHost {
    // What its parent handed over is given away once; after that the database has it all.
    const { seed, ...data } = this.#parts.data
    const first = this.#host === undefined && seed !== undefined
    const host = new WorkerShardHost(first ? { ...data, seed } : data, this.#parts.log, () => this.#prepare())
    host.onReport((report) => {
      if (report.type === 'down') {
        // What keeps the first start from coming about is told by `run`.
        if (this.#wasReady) this.#status(host.status, null)
        return
      }
      if (report.type === 'ready') {
        this.#wasReady = true
        this.#status('RUNNING', null)
      }
      // Then it does not run, and that is how it should be.
      if (report.type === 'split' || report.type === 'halted') this.#wasReady = true
      if (report.type === 'split') for (const { shard, seed } of report.handover ?? []) this.#parts.keep(shard, seed)
      this.#report(withoutSeeds(report))
    })
    return host
  }

  /** A start waits until the database and the leader have told what it needs. */
  async #prepare(): Promise<Partial<ShardWorkerData>> {
    const { signal } = this.#over
    while (!signal.aborted) {
      try {
        return { root: await this.#parts.root() }
      } catch (error) {
        const reason = explain(error)
        if (error instanceof HostError || FINAL_CODES.has(reason.code)) throw error
        if (!this.#wasReady) this.#status('RESTARTING', reason)
        await pause(RETRY_MS, signal)
      }
    }
    return {}
  }

  #report(report: ShardReport): void {
    this.#parts.send({ type: 'report', shard: this.#parts.data.shard, report })
  }

  #status(status: WorkerShardHost['status'], reason: Explanation | null): void {
    const told = `${status} ${reason?.code} ${reason?.message}`
    // What keeps it from starting may last, and is tried again often.
    if (this.#over.signal.aborted || (reason !== null && told === this.#told)) return
    this.#told = told
    this.#parts.send({ type: 'status', shard: this.#parts.data.shard, status, reason })
  }
}

/** The report as the leader needs it: what is in memory here is of no use elsewhere. */
function withoutSeeds(report: ShardReport): ShardReport {
  if (report.type !== 'split' || report.handover === null) return report
  const [left, right] = report.handover
  const light = ({ shard, pool, seed }: Handover): Handover => ({
    shard,
    pool,
    seed: {
      ...seed,
      trie: { ...seed.trie, hashes: NO_BYTES, left: NO_NODES, right: NO_NODES, keys: NO_BYTES },
      holdings: [],
      waiting: [],
      exports: [],
    },
  })
  return { type: 'split', handover: [light(left), light(right)] }
}

const NO_BYTES = new Uint8Array(0)
const NO_NODES = new Uint32Array(0)

const UNAVAILABLE = { code: 'SHARD_UNAVAILABLE', message: 'the shard is just starting; try again in a moment' }
