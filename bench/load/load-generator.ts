import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { BenchError } from '../benchmark.ts'
import type { LoadAnswers, LoadReply, LoadRequest, LoadSetup } from './messages.ts'

/** Load from a process of its own, as from a client. */
export class LoadGenerator {
  readonly #child: ChildProcess
  readonly #ended: Promise<BenchError>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      return new BenchError('LOAD_FAILED', `the load generator ended (${signal ?? code})`)
    })
  }

  /** Starts the process; it ends with the scope. */
  static async open(scope: AsyncDisposableStack, setup: LoadSetup): Promise<LoadGenerator> {
    const child = fork(new URL('./generator.ts', import.meta.url), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const generator = new LoadGenerator(child)
    scope.defer(async () => {
      child.kill('SIGKILL')
      await generator.#ended
    })
    await generator.ask({ kind: 'open', setup })
    return generator
  }

  /** Asks for one thing and waits for it. @throws BenchError LOAD_FAILED */
  async ask<R extends LoadRequest>(request: R): Promise<LoadAnswers[R['kind']]> {
    this.#child.send(request)
    const found = await Promise.race([once(this.#child, 'message'), this.#ended])
    if (found instanceof BenchError) throw found
    const [reply] = found as [LoadReply]
    if (reply.kind === 'failed') throw new BenchError('LOAD_FAILED', reply.message)
    return reply.answer as LoadAnswers[R['kind']]
  }
}
