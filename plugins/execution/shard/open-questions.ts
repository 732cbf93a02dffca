import type { ShardAnswers, ShardQuestion, ShardReport, ShardRequest } from './messages.ts'
import { type ShardHost, ShardHostError, shardUnavailable } from './shard-host.ts'

const MAX_QUESTIONS = 10_000

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

/** What a shard was asked and has not answered yet. */
export class OpenQuestions {
  readonly #host: Pick<ShardHost, 'id' | 'status'>
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0

  constructor(host: Pick<ShardHost, 'id' | 'status'>) {
    this.#host = host
  }

  /**
   * Asks a shard that runs.
   * @param post sends the question to it
   * @throws ShardHostError SHARD_UNAVAILABLE, SHARD_BUSY with 10,000 questions open, or what the shard answers
   */
  async ask<Q extends ShardQuestion>(
    question: Q,
    post: (request: ShardRequest) => void,
  ): Promise<ShardAnswers[Q['kind']]> {
    const { id: shard, status } = this.#host
    if (status !== 'RUNNING') throw shardUnavailable(this.#host)
    if (this.#waiting.size >= MAX_QUESTIONS)
      throw new ShardHostError('SHARD_BUSY', `shard ${shard} has ${MAX_QUESTIONS} questions to answer`)
    this.#asked++
    const id = this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      post({ type: 'ask', id, question })
    })
  }

  /** Hands an answer to whoever asked. */
  settle(report: Extract<ShardReport, { type: 'answer' | 'failed-answer' }>): void {
    const waiting = this.#waiting.get(report.id)
    this.#waiting.delete(report.id)
    // The shard answers by the kind of question.
    if (report.type === 'answer') waiting?.resolve(report.answer as never)
    else waiting?.reject(new ShardHostError(report.code, report.message))
  }

  /** The shard is down: nobody is going to answer. */
  giveUp(): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(shardUnavailable(this.#host))
  }
}
