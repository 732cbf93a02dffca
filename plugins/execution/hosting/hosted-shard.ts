import { type Log, pause } from '../../../server/plugin.ts'
import type { RootMoment } from '../root/root-moment.ts'
import type { ShardReport, ShardRequest } from '../shard/messages.ts'
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
    const { data, log } = this.#parts
    const host = new WorkerShardHost(data, log, () => this.#prepare())
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
      this.#report(report)
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
    if (!this.#over.signal.aborted) this.#parts.send({ type: 'status', shard: this.#parts.data.shard, status, reason })
  }
}

const UNAVAILABLE = { code: 'SHARD_UNAVAILABLE', message: 'the shard is just starting; try again in a moment' }
