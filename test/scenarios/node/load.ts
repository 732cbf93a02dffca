import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { toHex } from '../../../protocol/index.ts'
import type { SigningKey } from '../../../server/crypto/ed25519.ts'
import type { Random } from '../random.ts'
import type { Book, Payment } from './book.ts'
import { AnswerError, ask } from './graphql.ts'
import { PAYERS } from './payers.ts'

/** What a client may be told while a node is in trouble: each says that the same bytes may be submitted again. */
export const PASSING: ReadonlySet<string> = new Set([
  'NO_ANSWER',
  'UNAVAILABLE',
  'SHARD_UNAVAILABLE',
  'DATABASE_UNAVAILABLE',
  'VERIFIER_CRASHED',
  'OVERLOADED',
  'DRAINING',
  'TIMEOUT',
])
const MOST_AT_ONCE = 12
const RETRY_MS = 50

const SUBMIT = `mutation Submit($transactions: [Bytes!]!) {
  submitTransactions(transactions: $transactions, wait: INCLUDED) {
    __typename
    ... on TransactionAccepted { duplicate transaction { status } }
    ... on TransactionRefused { code message }
  }
}`
const Submitted = z.object({
  submitTransactions: z.array(
    z.discriminatedUnion('__typename', [
      z.object({
        __typename: z.literal('TransactionAccepted'),
        duplicate: z.boolean(),
        transaction: z.object({ status: z.string() }),
      }),
      z.object({ __typename: z.literal('TransactionRefused'), code: z.string(), message: z.string() }),
    ]),
  ),
})

/**
 * Clients that pay each other, within a shard and across, as fast as they are answered. Each submits what was not
 * acknowledged again, and only then goes on.
 */
export class Load {
  readonly #book: Book
  readonly #random: Random
  /** What each payer has signed and not seen acknowledged. */
  readonly #open = new Map<SigningKey, Payment[]>()
  #loops: Promise<void>[] = []
  #running = false
  #failure: unknown
  /** How often each code was answered, to clients who then tried again. */
  readonly troubles: Record<string, number> = {}
  /** Submissions that were answered as repetitions. */
  duplicates = 0

  constructor(book: Book, random: Random) {
    this.#book = book
    this.#random = random
  }

  /** Payments that nobody acknowledged so far. */
  get open(): number {
    return [...this.#open.values()].reduce((sum, payments) => sum + payments.length, 0)
  }

  /** Sets the payers going. */
  start(url: string): void {
    assert.deepEqual(this.#loops, [], 'the load has stopped')
    this.#running = true
    this.#loops = PAYERS.map((payer) => this.#pay(url, payer))
  }

  /** Lets the payers begin nothing new. */
  halt(): void {
    this.#running = false
  }

  /** Lets the payers end what they are doing; what is open stays open. @throws what a payer must never be told */
  async stop(): Promise<void> {
    this.halt()
    await Promise.all(this.#loops)
    this.#loops = []
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Submits everything that is open until it is acknowledged. */
  async settle(url: string, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs
    await Promise.all(
      PAYERS.map(async (payer) => {
        while ((this.#open.get(payer) ?? []).length > 0) {
          assert.ok(Date.now() < deadline, `open after ${withinMs} ms of trying: ${this.open} payments`)
          if (!(await this.#submit(url, payer))) await sleep(RETRY_MS)
        }
      }),
    )
  }

  async #pay(url: string, payer: SigningKey): Promise<void> {
    const random = this.#random.fork()
    try {
      while (this.#running) {
        const open = this.#open.get(payer) ?? []
        if (open.length === 0) {
          const count = random.between(1, MOST_AT_ONCE)
          const next = Array.from({ length: count }, () =>
            this.#book.pay(payer, random.pick(PAYERS), BigInt(random.between(1, 1_000_000))),
          )
          this.#open.set(payer, next)
        }
        if (!(await this.#submit(url, payer))) await sleep(RETRY_MS)
      }
    } catch (error) {
      this.#failure ??= error
      this.#running = false
    }
  }

  /** Submits what one payer has open; true if all of it was answered. */
  async #submit(url: string, payer: SigningKey): Promise<boolean> {
    const open = this.#open.get(payer) ?? []
    try {
      const transactions = open.map(({ wire }) => toHex(wire))
      const { submitTransactions } = await ask(url, Submitted, SUBMIT, { transactions })
      assert.equal(submitTransactions.length, open.length, 'one outcome each')
      for (const [i, outcome] of submitTransactions.entries()) this.#take(open[i], outcome)
    } catch (error) {
      if (!(error instanceof AnswerError && PASSING.has(error.code))) throw error
      this.troubles[error.code] = (this.troubles[error.code] ?? 0) + 1
      return false
    } finally {
      this.#open.set(
        payer,
        open.filter(({ acknowledged }) => !acknowledged),
      )
    }
    return true
  }

  #take(payment: Payment | undefined, outcome: z.output<typeof Submitted>['submitTransactions'][number]): void {
    assert.ok(payment !== undefined)
    assert.equal(outcome.__typename, 'TransactionAccepted', `${payment.id} was refused: ${JSON.stringify(outcome)}`)
    const { status } = outcome.transaction
    if (outcome.duplicate) this.duplicates++
    assert.ok(['PENDING', 'INCLUDED', 'EXECUTED'].includes(status), `${payment.id} is ${status}`)
    if (status !== 'PENDING') payment.acknowledged = true
  }
}
