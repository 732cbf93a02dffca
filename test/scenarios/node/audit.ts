import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { decodeGenesis, fromHex, type Genesis, networkId, toHex } from '../../../protocol/index.ts'
import type { Book } from './book.ts'
import { ask } from './graphql.ts'
import { PAYERS } from './payers.ts'

const SETTLE_WITHIN_MS = 120_000
/** Aliases in one query. */
const PAGE = 40

/** The network's genesis document, checked against its id. */
export async function readGenesis(url: string): Promise<{ readonly id: Uint8Array; readonly genesis: Genesis }> {
  const schema = z.object({ network: z.object({ id: z.string(), genesis: z.string() }) })
  const { network } = await ask(url, schema, '{ network { id genesis } }')
  const document = fromHex(network.genesis)
  assert.equal(toHex(networkId(document)), network.id)
  return { id: fromHex(network.id), genesis: decodeGenesis(document) }
}

/** Every payment since the last audit that was acknowledged is known, as included or executed. */
export async function findAcknowledged(url: string, book: Book): Promise<void> {
  const acknowledged = book.unaudited.filter((payment) => payment.acknowledged)
  const statuses = await statusesOf(
    url,
    acknowledged.map(({ id }) => id),
  )
  const lost = acknowledged.filter((_, i) => statuses[i] !== 'INCLUDED' && statuses[i] !== 'EXECUTED')
  assert.deepEqual(
    lost.map(({ id }) => id),
    [],
    `${lost.length} of ${acknowledged.length} acknowledged payments are lost`,
  )
}

/**
 * Everything signed was acknowledged: then it is executed before long, each payment once, every account has what the
 * book says, and no coin appeared or vanished.
 */
export async function auditAll(url: string, book: Book): Promise<void> {
  const ids = book.unaudited.map(({ id }) => id)
  await eventually('all payments are executed', async () => {
    const open = (await statusesOf(url, ids)).filter((status) => status !== 'EXECUTED')
    return open.length === 0 ? undefined : `${open.length} are not: ${[...new Set(open)].join(', ')}`
  })
  assert.deepEqual(await accountsOf(url), modelOf(book), 'balances and nonces')
  const genesis = await readGenesis(url)
  await eventually('the supply is whole', () => supplyFault(url, genesis.genesis))
  const health = z.object({
    plugins: z.array(z.object({ health: z.object({ ok: z.boolean(), message: z.string().nullable() }) })),
  })
  const { plugins } = await ask(url, health, '{ plugins { health { ok message } } }')
  assert.deepEqual(
    plugins.filter((plugin) => !plugin.health.ok),
    [],
  )
  book.close()
}

const modelOf = (book: Book) => {
  const balances = book.balances()
  return PAYERS.map((key, i) => ({ balance: balances[i], nextNonce: book.nextNonce(key) }))
}

async function accountsOf(url: string) {
  const account = z.object({ balance: z.string(), lanes: z.array(z.object({ lane: z.int(), nextNonce: z.string() })) })
  const fields = PAYERS.map(
    (key, i) => `a${i}: account(address: "${toHex(key.publicKey)}") { balance lanes { lane nextNonce } }`,
  )
  const found = await ask(url, z.record(z.string(), account), `{ ${fields.join(' ')} }`)
  return PAYERS.map((_, i) => {
    const one = found[`a${i}`]
    return { balance: BigInt(one?.balance ?? 0), nextNonce: Number(one?.lanes[0]?.nextNonce ?? 0) }
  })
}

/** What is wrong with the supply: as the node counts it, and by the balances of all cells that can have any. */
async function supplyFault(url: string, genesis: Genesis): Promise<string | undefined> {
  const schema = z.object({
    network: z.object({ supply: z.string(), supplyCheck: z.object({ total: z.string(), inFlight: z.string() }) }),
  })
  const { network } = await ask(url, schema, '{ network { supply supplyCheck { total inFlight } } }')
  assert.equal(network.supplyCheck.total, network.supply, 'the supply')
  const { treasury } = genesis.params
  assert.ok(treasury instanceof Uint8Array)
  const ids = new Set([treasury, ...genesis.cells.map(({ id }) => id)].map(toHex))
  const fields = [...ids].map((id, i) => `c${i}: cell(id: "${id}") { balance }`)
  const cell = z.object({ balance: z.string() }).nullable()
  const found = await ask(url, z.record(z.string(), cell), `{ ${fields.join(' ')} }`)
  const sum = Object.values(found).reduce((total, one) => total + BigInt(one?.balance ?? 0), 0n)
  const atGenesis = genesis.cells.reduce((total, { balance }) => total + balance, 0n)
  // Fees reach the treasury's shard a moment after they were paid.
  return sum === atGenesis
    ? undefined
    : `balances sum to ${sum}, at genesis to ${atGenesis}; ${network.supplyCheck.inFlight} in flight`
}

async function statusesOf(url: string, ids: readonly string[]): Promise<(string | undefined)[]> {
  const names = Array.from({ length: PAGE }, (_, i) => i)
  const query = `query Statuses(${names.map((i) => `$i${i}: Bytes!`).join(' ')}) {
    ${names.map((i) => `t${i}: transaction(id: $i${i}) { status }`).join(' ')}
  }`
  const schema = z.record(z.string(), z.object({ status: z.string() }).nullable())
  const statuses: (string | undefined)[] = []
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE)
    // The same document every time, filled up with the last id.
    const variables = Object.fromEntries(names.map((i) => [`i${i}`, page[i] ?? page.at(-1)]))
    const found = await ask(url, schema, query, variables)
    for (const i of page.keys()) statuses.push(found[`t${i}`]?.status)
  }
  return statuses
}

/** Asks until nothing is wrong any more. */
async function eventually(what: string, fault: () => Promise<string | undefined>): Promise<void> {
  const deadline = Date.now() + SETTLE_WITHIN_MS
  for (;;) {
    const wrong = await fault()
    if (wrong === undefined) return
    assert.ok(Date.now() < deadline, `not within ${SETTLE_WITHIN_MS} ms: ${what}: ${wrong}`)
    await sleep(50)
  }
}
