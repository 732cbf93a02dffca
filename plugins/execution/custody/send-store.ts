import type { Sql, SqlOrTransaction, Transaction } from '../../../server/plugin.ts'

/** How long a finished send is remembered by its idempotency key. */
const REMEMBERED_DAYS = 30

/** Something that was signed for a custodial account. */
export interface StoredSend {
  readonly account: Uint8Array
  readonly idempotencyKey: string
  /** SHA-256 of what was asked for. */
  readonly request: Uint8Array
  /** Of the transaction. */
  readonly id: Uint8Array
  readonly wire: Uint8Array
  readonly nonce: bigint
  /** Root height. */
  readonly validUntil: bigint
  /** What was counted against the key. */
  readonly spending: bigint
  readonly refusal: { readonly code: string; readonly message: string } | null
  readonly settled: boolean
}

type SendRow = Omit<StoredSend, 'refusal'> & { readonly code: string | null; readonly message: string | null }

const columns = (sql: SqlOrTransaction) => sql`
  account, idempotency_key as "idempotencyKey", request, id, wire, nonce, valid_until as "validUntil", spending, settled,
  refusal_code as code, refusal_message as message`

const stored = ({ code, message, ...row }: SendRow): StoredSend => ({
  ...row,
  refusal: code === null ? null : { code, message: message ?? '' },
})

/**
 * Makes sends of one account wait for each other, on all nodes, until the transaction ends. To be taken first by all
 * that touch several rows, which then cannot wait for each other in a circle.
 */
export async function lockAccount(tx: Transaction, account: Uint8Array): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`custody/${Buffer.from(account).toString('hex')}`}, 0))`
}

export async function findSend(
  sql: SqlOrTransaction,
  account: Uint8Array,
  idempotencyKey: string,
): Promise<StoredSend | undefined> {
  const [row] = await sql<SendRow[]>`
    select ${columns(sql)} from custodial_send where account = ${account} and idempotency_key = ${idempotencyKey}`
  return row && stored(row)
}

/** Sends that may still come to something, in the order of their nonces; the first hundred. */
export async function openSends(sql: SqlOrTransaction, account: Uint8Array): Promise<readonly StoredSend[]> {
  const rows = await sql<SendRow[]>`
    select ${columns(sql)} from custodial_send where account = ${account} and not settled order by nonce limit 100`
  return rows.map(stored)
}

/** The nonces of sends that may still be included: from the next one of the ledger on, and not too late for it. */
export async function waitingNonces(
  tx: Transaction,
  account: Uint8Array,
  { next, height }: { readonly next: bigint; readonly height: number },
): Promise<ReadonlySet<bigint>> {
  const rows = await tx<{ nonce: bigint }[]>`
    select nonce from custodial_send
    where account = ${account} and not settled and nonce >= ${String(next)} and valid_until >= ${height}`
  return new Set(rows.map(({ nonce }) => nonce))
}

/** Stores a new send, as one that is being submitted. */
export async function insertSend(tx: Transaction, send: StoredSend, createdAt: Date): Promise<void> {
  await tx`
    delete from custodial_send where account = ${send.account} and settled
      and created_at < ${createdAt}::timestamptz - make_interval(days => ${REMEMBERED_DAYS})`
  await tx`
    insert into custodial_send (account, idempotency_key, request, id, wire, nonce, valid_until, spending, submitting,
      created_at)
    values (${send.account}, ${send.idempotencyKey}, ${send.request}, ${send.id}, ${send.wire}, ${String(send.nonce)},
      ${String(send.validUntil)}, ${String(send.spending)}, 1, ${createdAt})`
}

/** Notes that a stored send is submitted once more; undefined if it was refused or settled meanwhile. */
export async function beginAgain(sql: Sql, send: StoredSend): Promise<StoredSend | undefined> {
  const [row] = await sql<SendRow[]>`
    update custodial_send set submitting = submitting + 1
    where account = ${send.account} and idempotency_key = ${send.idempotencyKey}
      and not settled and refusal_code is null
    returning ${columns(sql)}`
  return row && stored(row)
}

/**
 * Notes that sends are submitted again that the ledger has lost.
 * @returns those of them that still may be
 */
export async function resubmitting(tx: Transaction, sends: readonly StoredSend[]): Promise<readonly StoredSend[]> {
  const [first] = sends
  if (first === undefined) return []
  await lockAccount(tx, first.account)
  const rows = await tx<{ idempotencyKey: string }[]>`
    update custodial_send set may_be_in = true
    where account = ${first.account} and idempotency_key = any(${sends.map(({ idempotencyKey }) => idempotencyKey)})
      and not settled and refusal_code is null
    returning idempotency_key as "idempotencyKey"`
  const keys = new Set(rows.map(({ idempotencyKey }) => idempotencyKey))
  return sends.filter(({ idempotencyKey }) => keys.has(idempotencyKey))
}

/** Notes that the ledger has it, or that nobody knows. */
export async function mayBeIn(sql: Sql, { account, idempotencyKey }: StoredSend): Promise<void> {
  await sql`
    update custodial_send set submitting = submitting - 1, may_be_in = true
    where account = ${account} and idempotency_key = ${idempotencyKey}`
}

/**
 * Notes that the ledger did not take it.
 * @returns true if no other submission of the same bytes was or may have been taken: then nothing will come of it
 */
export async function wasRefused(
  tx: Transaction,
  { account, idempotencyKey }: StoredSend,
  { code, message }: { readonly code: string; readonly message: string },
): Promise<boolean> {
  const [row] = await tx<{ out: boolean }[]>`
    update custodial_send set
      submitting = submitting - 1,
      refusal_code = case when submitting = 1 and not may_be_in then ${code} end,
      refusal_message = case when submitting = 1 and not may_be_in then ${message} end,
      settled = settled or (submitting = 1 and not may_be_in)
    where account = ${account} and idempotency_key = ${idempotencyKey} and refusal_code is null
    returning refusal_code is not null as out`
  return row?.out === true
}

/** Notes that nothing more comes of a send. @param wasIncluded its nonce is used by it */
export async function settled(tx: Transaction, send: StoredSend, wasIncluded: boolean): Promise<void> {
  await tx`
    update custodial_send set settled = true
    where account = ${send.account} and idempotency_key = ${send.idempotencyKey}`
  if (!wasIncluded) return
  await tx`
    insert into custodial_nonce (account, next) values (${send.account}, ${String(send.nonce + 1n)})
    on conflict (account) do update set next = greatest(custodial_nonce.next, excluded.next)`
}

/** The nonce behind the last one that is known to be used. */
export async function knownNonce(tx: Transaction, account: Uint8Array): Promise<bigint> {
  const [row] = await tx<{ next: bigint }[]>`select next from custodial_nonce where account = ${account}`
  return row?.next ?? 0n
}
