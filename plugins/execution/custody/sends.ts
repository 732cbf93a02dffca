import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import {
  type Action,
  encode,
  encodeTransaction,
  encodeUnsigned,
  equal,
  signingBytes,
  TransactionError,
  transactionId,
} from '../../../protocol/index.ts'
import type { Principal } from '../../../schema/index.ts'
import { type Clock, type Custody, CustodyError, type Sql, type Transaction } from '../../../server/plugin.ts'
import type { Ledger, SubmitOutcome, Wait } from '../api.ts'
import { isFinal } from '../gateway/states.ts'
import type { ShardDatabases } from '../query/shard-databases.ts'
import { accountState, nextNonce } from '../state/account.ts'
import {
  beginAgain,
  findSend,
  insertSend,
  knownNonce,
  lockAccount,
  mayBeIn,
  openSends,
  resubmitting,
  type StoredSend,
  settled,
  waitingNonces,
  wasRefused,
} from './send-store.ts'
import { spentBy } from './spent.ts'

/** The node's own lane of custodial accounts: whoever exports one uses others. */
const LANE = 15
/** Root blocks that a send may take to be included: a minute under load, ten when idle. */
const VALID_FOR = 600
/** Root blocks after which one that was not included cannot be any more, even by a shard that was held up. */
const SURELY_OVER = 600
/** Sends of an account that may be on their way; nodes let 64 wait. */
const MAX_OPEN = 48
/** Milliseconds between two looks at what an account's sends came to. */
const SETTLE_EVERY_MS = 250
const MAX_SETTLEMENTS = 10_000
/** Units; far beyond any fee, and small enough to be summed up. */
const MAX_FEE = 1n << 64n
/** As many digits as any nonce and limit have, so that the fee of a simulation holds. */
const ANY = { nonce: Number.MAX_SAFE_INTEGER, maxFee: 1n << 63n }

export interface SendRequest {
  readonly idempotencyKey: string
  readonly actions: readonly Action[]
  /** Units beyond the values; twice the present fee if null. */
  readonly maxFee: bigint | null
}

export type SendOutcome =
  | Extract<SubmitOutcome, { readonly kind: 'accepted' }>
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

export interface SendsParts {
  readonly sql: Sql
  /** Where blocks are. */
  readonly databases: () => ShardDatabases
  readonly ledger: Ledger
  readonly custody: Custody
  readonly clock: Clock
}

/**
 * Sends for custodial accounts: signs, stores what was signed together with what it counts against the caller's caps,
 * and only then submits. The same idempotency key is the same transaction for ever, so nothing is paid twice, however
 * often and on whichever node it is asked for.
 */
export class Sends {
  readonly #parts: SendsParts
  /** When each account was settled last; by its address. */
  readonly #settlements = new LRUCache<string, number>({ max: MAX_SETTLEMENTS })

  constructor(parts: SendsParts) {
    this.#parts = parts
  }

  /** @throws CustodyError, and what Ledger.submit throws: then the same request may be sent again */
  async send(principal: Principal, request: SendRequest, wait: Wait, signal: AbortSignal): Promise<SendOutcome> {
    const { sql } = this.#parts
    const account = accountOf(principal)
    const hash = hashOf(request)
    const known = await findSend(sql, account, request.idempotencyKey)
    if (known !== undefined) return this.#again(known, hash, wait, signal)
    const lost = await this.#settleSometimes(account)
    try {
      const fee = await this.#fee(account, request)
      if (typeof fee !== 'bigint') return fee
      const send = await this.#sign(principal, account, request, hash, request.maxFee ?? fee * 2n)
      if ('kind' in send) return send
      if (send.isOld) return this.#again(send, hash, wait, signal)
      return await this.#submit(send, lost, wait, signal)
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal === undefined) throw error
      return refusal
    }
  }

  /** What a request that was seen before came to, or comes to now. */
  async #again(send: StoredSend, hash: Uint8Array, wait: Wait, signal: AbortSignal): Promise<SendOutcome> {
    if (!equal(send.request, hash))
      return refused('IDEMPOTENCY_CONFLICT', 'This idempotencyKey was used for something else. Use a new one for each.')
    if (send.refusal !== null) return { kind: 'refused', ...send.refusal }
    const open = send.settled ? undefined : await beginAgain(this.#parts.sql, send)
    if (open !== undefined) return this.#submit(open, [], wait, signal)
    const [state] = await this.#parts.ledger.states([send.id])
    if (state != null && state.at !== null)
      return { kind: 'accepted', id: send.id, duplicate: true, status: state.status, at: state.at }
    return refused(
      'EXPIRED',
      'It was not included in time, and never will be. To send it after all, use a new idempotencyKey.',
    )
  }

  /** @param lost transactions of the account that the ledger no longer has, and needs before this one */
  async #submit(send: StoredSend, lost: readonly StoredSend[], wait: Wait, signal: AbortSignal): Promise<SendOutcome> {
    const { ledger, sql, custody } = this.#parts
    let outcome: SubmitOutcome | undefined
    try {
      const again = lost.length === 0 ? [] : await sql.begin((tx) => resubmitting(tx, lost))
      const outcomes = await ledger.submit([...again.map(({ wire }) => wire), send.wire], { wait, signal })
      outcome = outcomes.at(-1)
    } finally {
      // What may be lost is looked for at the next send.
      if (outcome === undefined) this.#settlements.delete(nameOf(send.account))
      if (outcome === undefined || outcome.kind === 'accepted') await mayBeIn(sql, send)
    }
    if (outcome === undefined) throw new TypeError('Ledger.submit gave no outcome')
    if (outcome.kind === 'accepted') {
      if (outcome.at !== null && isFinal(outcome.status)) await this.#settle([send])
      return outcome
    }
    const { code, message } = outcome
    await sql.begin(async (tx) => {
      await lockAccount(tx, send.account)
      if (await wasRefused(tx, send, { code, message })) await custody.settle(tx, send.spending, 0n)
    })
    return { kind: 'refused', code, message }
  }

  /** The present fee of these actions; or why they would be refused, before anything is signed. */
  async #fee(account: Uint8Array, { actions, maxFee }: SendRequest): Promise<bigint | SendOutcome> {
    const { ledger } = this.#parts
    const unsigned = encodeUnsigned({ ...this.#fields(account, actions), ...ANY })
    const simulation = await ledger.simulate(unsigned)
    if (simulation.kind === 'refused') return refused(simulation.code, simulation.message)
    if (maxFee !== null && maxFee > MAX_FEE) return refused('MALFORMED', `maxFee is at most ${MAX_FEE}.`)
    if (maxFee === null || maxFee >= simulation.fee) return simulation.fee
    return refused('FEE_TOO_LOW', `The fee is ${simulation.fee}, and maxFee allows ${maxFee}. Allow more.`)
  }

  #fields(account: Uint8Array, actions: readonly Action[]) {
    const { ledger } = this.#parts
    const validUntil = ledger.rootHeight() + VALID_FOR
    return { network: ledger.network.id, realm: 0, sender: account, key: account, lane: LANE, validUntil, actions }
  }

  /** Signs and stores, if the account has no send of this name yet. Nothing leaves the process before that is durable. */
  async #sign(
    principal: Principal,
    account: Uint8Array,
    { idempotencyKey, actions }: SendRequest,
    request: Uint8Array,
    maxFee: bigint,
  ): Promise<(StoredSend & { readonly isOld: boolean }) | SendOutcome> {
    const { sql, ledger, custody, clock } = this.#parts
    // Read before the lock: whoever holds a connection must not wait for another.
    const [cell] = await ledger.cells(0, [account])
    const committed = cell == null ? 0 : nextNonce(accountState(cell.value as never), LANE)
    const fields = this.#fields(account, actions)
    return sql.begin(async (tx) => {
      await lockAccount(tx, account)
      const known = await findSend(tx, account, idempotencyKey)
      if (known !== undefined) return { ...known, isOld: true }
      const nonce = await this.#nonce(tx, account, BigInt(committed))
      if (nonce === undefined)
        return refused('SENDS_PENDING', `${MAX_OPEN} sends of this account wait for a block. Try again in a moment.`)
      const unsigned = encodeUnsigned({ ...fields, nonce: Number(nonce), maxFee })
      const spends = actions.reduce((sum, { value }) => sum + value, maxFee)
      const calls = [...new Set(actions.map(({ call }) => call))]
      const message = signingBytes(unsigned)
      const { signature, spending } = await custody.sign(tx, principal, { message, calls, spends })
      const send: StoredSend = {
        account,
        idempotencyKey,
        request,
        id: transactionId(unsigned),
        wire: encodeTransaction(unsigned, signature),
        nonce,
        validUntil: BigInt(fields.validUntil),
        spending,
        refusal: null,
        settled: false,
      }
      await insertSend(tx, send, new Date(clock.now()))
      return { ...send, isOld: false }
    })
  }

  /**
   * The lowest nonce that neither is used nor waits. That of a send whose time is up can be given out again: whichever
   * of the two is included, the other never is.
   */
  async #nonce(tx: Transaction, account: Uint8Array, committed: bigint): Promise<bigint | undefined> {
    const height = this.#parts.ledger.rootHeight()
    // Settling takes the same lock: what was waiting at the one is not used unseen at the other.
    const taken = await waitingNonces(tx, account, { next: committed, height })
    if (taken.size >= MAX_OPEN) return undefined
    const known = await knownNonce(tx, account)
    let nonce = known > committed ? known : committed
    while (taken.has(nonce)) nonce++
    return nonce
  }

  /**
   * Settles what has come to an end: one at a time for each account, and not at every send.
   * @returns what the ledger has lost and would still take, in order; nothing if that was looked at just now
   */
  async #settleSometimes(account: Uint8Array): Promise<readonly StoredSend[]> {
    const name = nameOf(account)
    const last = this.#settlements.get(name)
    if (last !== undefined && performance.now() - last < SETTLE_EVERY_MS) return []
    this.#settlements.set(name, performance.now())
    return this.#settleOpen(account)
  }

  /** Settles what has come to an end. @returns what the ledger has lost and would still take, in order */
  async #settleOpen(account: Uint8Array): Promise<readonly StoredSend[]> {
    const { sql, ledger } = this.#parts
    const open = await openSends(sql, account)
    if (open.length === 0) return []
    const [states, [cell]] = await Promise.all([ledger.states(open.map(({ id }) => id)), ledger.cells(0, [account])])
    const used = cell == null ? 0 : nextNonce(accountState(cell.value as never), LANE)
    const height = BigInt(ledger.rootHeight())
    const lost: StoredSend[] = []
    const done: StoredSend[] = []
    for (const [i, send] of open.entries()) {
      const state = states[i] ?? null
      if (state !== null && state.at !== null) {
        if (isFinal(state.status)) done.push(send)
      } else if (state?.status !== 'PENDING') {
        // The order matters: the states were read before the nonce could have been used by another.
        if (send.nonce < BigInt(used) || height > send.validUntil + BigInt(SURELY_OVER)) await this.#giveUp(send)
        else if (height <= send.validUntil) lost.push(send)
      }
    }
    await this.#settle(done)
    return lost
  }

  /** Gives back what transactions of one account that came to their end, in blocks, have not spent. */
  async #settle(sends: readonly StoredSend[]): Promise<void> {
    const [first] = sends
    if (first === undefined) return
    const { sql, databases, custody } = this.#parts
    const spent = await spentBy(
      databases(),
      sends.map(({ id }) => id),
    )
    await sql.begin(async (tx) => {
      await lockAccount(tx, first.account)
      for (const [i, send] of sends.entries()) {
        const cost = spent[i]
        // Not in this node's tables yet: another time.
        if (cost === undefined) continue
        await settled(tx, send, true)
        await custody.settle(tx, send.spending, cost)
      }
    })
  }

  /** For one that can never be included any more; looked at once more, after that was certain. */
  async #giveUp(send: StoredSend): Promise<void> {
    const { sql, ledger, custody } = this.#parts
    const [state] = await ledger.states([send.id])
    if (state != null && (state.at !== null || state.status === 'PENDING')) return
    await sql.begin(async (tx) => {
      await lockAccount(tx, send.account)
      await settled(tx, send, false)
      await custody.settle(tx, send.spending, 0n)
    })
  }
}

function accountOf({ kind, account }: Principal): Uint8Array {
  if (kind === 'key' && account !== null) return account
  throw new CustodyError(
    'NOT_CUSTODIAL',
    'The node keeps no key of yours to sign with. Use an API key of a custodial account, or sign yourself.',
  )
}

const nameOf = (account: Uint8Array): string => Buffer.from(account).toString('base64')

const hashOf = ({ actions, maxFee }: SendRequest): Uint8Array =>
  createHash('sha256')
    .update(encode([maxFee, actions.map(({ to, realm, call, args, value }) => [to, realm, call, args, value])]))
    .digest()

const refused = (code: string, message: string) => ({ kind: 'refused', code, message }) as const

/** What is the caller's to know as an outcome; all else is an error. */
const REFUSALS: ReadonlySet<string> = new Set(['SPENDING_CAP', 'CALL_NOT_ALLOWED'])

/** Refusals that come as errors, because they must undo a transaction of the database. */
function refusalOf(error: unknown): SendOutcome | undefined {
  if (error instanceof CustodyError && REFUSALS.has(error.code)) return refused(error.code, error.message)
  if (error instanceof TransactionError) return refused(error.code, `${error.message}.`)
  return undefined
}
