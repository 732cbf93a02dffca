import type { WebSocket } from 'ws'
import { type Answers, GoneError, type Served } from './answers.ts'
import { failureOf, MAX_OPEN, type Reply, type Request, WINDOW } from './messages.ts'
import { Wire } from './wire.ts'

/** A leader that is just beginning is waited for; longer, and the caller looks for another. */
const SERVED_WITHIN_MS = 2_000

/** What another node has asked and not been told. */
interface Open {
  readonly controller: AbortController
  /** Items that its reader takes. */
  credit: number
  wake: (() => void) | undefined
}

/** Answers what another node asks over one connection. */
export class PeerSession {
  readonly #answers: Answers
  readonly #wire: Wire<Request, Reply>
  readonly #open = new Map<number, Open>()

  constructor(socket: WebSocket, answers: Answers, onClose: () => void) {
    this.#answers = answers
    this.#wire = new Wire<Request, Reply>(
      socket,
      (message) => this.#take(message),
      () => {
        for (const { controller } of this.#open.values()) controller.abort()
        onClose()
      },
    )
  }

  close(): void {
    this.#wire.close()
  }

  #take(message: Request): void {
    switch (message.type) {
      case 'cancel':
        return this.#open.get(message.id)?.controller.abort()
      case 'more': {
        const open = this.#open.get(message.id)
        if (open === undefined) return
        open.credit += message.items
        return open.wake?.()
      }
      case 'call':
      case 'stream':
        if (this.#open.size >= MAX_OPEN) return this.#wire.send({ type: 'busy', id: message.id })
        void this.#answer(message)
    }
  }

  async #answer({ type, id, method, input }: Extract<Request, { type: 'call' | 'stream' }>): Promise<void> {
    const open: Open = { controller: new AbortController(), credit: WINDOW, wake: undefined }
    this.#open.set(id, open)
    const served = await this.#answers.soon(method, SERVED_WITHIN_MS, open.controller.signal)
    try {
      if (served === undefined) this.#wire.send({ type: 'gone', id, done: false })
      else if (type === 'stream') await this.#tell(id, served, input, open)
      else this.#wire.send({ type: 'answer', id, output: await served.call(input, open.controller.signal) })
    } catch (error) {
      this.#wire.send(error instanceof GoneError ? { type: 'gone', id, done: true } : failureOf(id, error))
    } finally {
      this.#open.delete(id)
      // What still works on it, after the caller or the office has gone, may stop.
      open.controller.abort()
    }
  }

  async #tell(id: number, served: Served, input: unknown, open: Open): Promise<void> {
    const { signal } = open.controller
    signal.addEventListener('abort', () => open.wake?.(), { once: true })
    for await (const item of served.stream(input, open.controller)) {
      this.#wire.send({ type: 'item', id, item })
      open.credit--
      while (open.credit <= 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          open.wake = resolve
        })
      }
    }
    this.#wire.send({ type: 'end', id })
  }
}
