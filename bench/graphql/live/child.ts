import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { BenchError } from '../../benchmark.ts'

interface Asked {
  readonly kind: string
}

type Reply<Answer> =
  | { readonly kind: 'done'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly message: string }

/** A process that does one part of a benchmark. */
export class Child<Request extends Asked, Answers extends Readonly<Record<Request['kind'], unknown>>> {
  readonly #child: ChildProcess
  readonly #ended: Promise<BenchError>

  /** Starts the program; it ends with the scope. */
  constructor(scope: AsyncDisposableStack, program: URL) {
    const child = fork(program, {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: ['--expose-gc'],
    })
    this.#child = child
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      return new BenchError('LOAD_FAILED', `a process of the benchmark ended (${signal ?? code})`)
    })
    scope.defer(async () => {
      child.disconnect()
      await this.#ended
    })
  }

  /** Asks for one thing and waits for it. @throws BenchError LOAD_FAILED */
  async ask<R extends Request>(request: R): Promise<Answers[R['kind']]> {
    this.#child.send(request)
    const found = await Promise.race([once(this.#child, 'message'), this.#ended])
    if (found instanceof BenchError) throw found
    const [reply] = found as [Reply<Answers[R['kind']]>]
    if (reply.kind === 'failed') throw new BenchError('LOAD_FAILED', reply.message)
    return reply.answer
  }
}

/** The other side: answers what the parent asks, one after the other, and ends with it. */
export function answerParent<Request extends Asked>(
  answer: (request: Request) => Promise<unknown>,
  end: () => Promise<void> = async () => undefined,
): void {
  const reply = (message: Reply<unknown>): void => void process.send?.(message)
  process.on('message', (request: Request) => {
    answer(request).then(
      (found) => reply({ kind: 'done', answer: found }),
      (error: unknown) => reply({ kind: 'failed', message: error instanceof Error ? String(error.stack) : `${error}` }),
    )
  })
  process.on('disconnect', () => {
    end().finally(() => process.exit(0))
  })
  // Ctrl-C in a terminal goes to every process; whoever started this one ends it in its turn.
  process.on('SIGINT', () => undefined)
}
