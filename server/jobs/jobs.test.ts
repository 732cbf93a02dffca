import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Principal } from '../../schema/index.ts'
import { continuous, cron, definePlugin, type Host, queue } from '../plugin.ts'
import { createTestHost, type TestHost } from '../testing/index.ts'
import { until } from '../testing/program.ts'

const basis = { version: '1.0.0', api: '^1.0.0' }

/** Somebody with these scopes and no others. */
const holder = (...scopes: string[]): Principal => ({
  kind: 'key',
  id: 'k1',
  account: null,
  scopes: new Set(scopes),
  access: `key k1 ${scopes.join()}`,
  can: (scope) => scopes.includes(scope),
})
const operator = holder('jobs:read', 'jobs:write')

const hosts: TestHost[] = []
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.stop()
})

/** A shop whose thumbnails fail as often as the test says. */
async function start(failures: { left: number }) {
  const seen: unknown[] = []
  const thumbs = queue({
    name: 'thumbs',
    input: z.object({ amount: z.bigint(), image: z.instanceof(Uint8Array) }),
    attempts: 2,
    backoff: { seconds: 0 },
    run: ({ data, attempt }) => {
      if (failures.left-- > 0) throw Object.assign(new Error(`no paint at try ${attempt}`), { code: 'NO_PAINT' })
      seen.push(data)
    },
  })
  let shop: Host | undefined
  const plugin = definePlugin({
    ...basis,
    name: 'shop',
    jobs: [
      thumbs,
      cron({ name: 'sweep', schedule: '0 4 * * *', run: () => undefined }),
      continuous({ name: 'watch', scope: 'leader', run: ({ signal }) => once(signal, 'abort').then(() => undefined) }),
    ],
    start: (host) => {
      shop = host
    },
  })
  const host = await createTestHost({ plugins: [plugin()] })
  hosts.push(host)
  // With the pool that the plugin sees, in a transaction.
  const put = (amount: bigint, key?: string) =>
    shop?.sql.begin(async (tx) =>
      shop?.jobs.enqueue(tx, thumbs, { amount, image: new Uint8Array([1]) }, key === undefined ? {} : { key }),
    )
  return { host, seen, put }
}

const LIST = `query ($status: JobStatus, $first: Int, $after: Cursor) {
  jobs(plugin: "shop", status: $status, first: $first, after: $after) {
    edges { node { id name kind status attempt attempts error { message code } data key createdAt finishedAt nextRunAt } }
    pageInfo { hasNextPage endCursor }
  }
}`
const Listed = z.object({
  jobs: z.object({
    edges: z.array(
      z.object({
        node: z
          .object({ id: z.string(), name: z.string(), kind: z.string(), status: z.string(), data: z.unknown() })
          .loose(),
      }),
    ),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
})
const list = async (host: TestHost, variables: Record<string, unknown> = {}) => {
  const { data } = await host.execute(LIST, variables, { as: operator })
  const { jobs } = Listed.parse(data)
  return { nodes: jobs.edges.map(({ node }) => node), pageInfo: jobs.pageInfo }
}
const Amount = z.object({ amount: z.string() })
const RETRY = `mutation ($id: ID!) { retryJob(id: $id) {
  ... on JobRetried { job { status attempt attempts } }
  ... on JobNotRetried { code message }
} }`

describe('the list of jobs', () => {
  it('shows what failed with its error, and a retry does it', async () => {
    const failures = { left: 2 }
    const { host, seen, put } = await start(failures)
    const id = await put(5n, 'a')
    await until(async () => (await list(host, { status: 'FAILED' })).nodes.length > 0, 'it has failed')
    const [failed] = (await list(host, { status: 'FAILED' })).nodes
    expect(failed).toMatchObject({
      id: `shop/thumbs/${id}`,
      name: 'thumbs',
      kind: 'QUEUE',
      status: 'FAILED',
      attempt: 2,
      attempts: 2,
      error: { message: 'no paint at try 2', code: 'NO_PAINT' },
      data: { amount: '5', image: '0x01' },
      key: 'a',
      nextRunAt: null,
    })
    const retried = await host.execute(RETRY, { id: failed?.id }, { as: operator })
    expect(retried).toMatchObject({ data: { retryJob: { job: { status: expect.any(String), attempts: 3 } } } })
    await until(() => seen.length > 0, 'it has run')
    expect(seen).toEqual([{ amount: 5n, image: new Uint8Array([1]) }])
    await until(async () => (await list(host, { status: 'DONE' })).nodes.length > 0, 'its end is written')
    expect((await list(host, { status: 'FAILED' })).nodes).toEqual([])
    expect(await host.sql('core')`select actor, action, target, outcome from core.audit`).toEqual([
      { actor: 'key:k1', action: 'retryJob', target: failed?.id, outcome: 'DONE' },
    ])
  })

  it('says why a run cannot be retried', async () => {
    const { host, put } = await start({ left: 2 })
    const code = async (id: string) => {
      const { data } = await host.execute(RETRY, { id }, { as: operator })
      return z.object({ retryJob: z.object({ code: z.string() }) }).parse(data).retryJob.code
    }
    expect(await code('nonsense')).toBe('JOB_NOT_FOUND')
    expect(await code('shop/thumbs/00000000-0000-4000-8000-000000000000')).toBe('JOB_NOT_FOUND')
    expect(await code('shop/sweep')).toBe('JOB_NOT_FOUND')
    await put(1n, 'same')
    await until(async () => (await list(host, { status: 'FAILED' })).nodes.length > 0, 'it has failed')
    const [failed] = (await list(host, { status: 'FAILED' })).nodes
    // Waits behind a far time, so that it holds the key.
    await host.sql('core').begin(async (tx) => {
      await tx`insert into pgboss.job (name, singleton_key, policy, start_after)
        values ('shop/thumbs', 'k:same', 'exclusive', now() + interval '1 hour')`
    })
    expect(await code(failed?.id ?? '')).toBe('JOB_KEY_TAKEN')
    await put(2n)
    await until(async () => (await list(host, { status: 'DONE' })).nodes.length > 0, 'one is done')
    const [done] = (await list(host, { status: 'DONE' })).nodes
    expect(await code(done?.id ?? '')).toBe('JOB_NOT_FAILED')
  })

  it('is read page by page, newest first, whatever is added meanwhile', async () => {
    const { host, put } = await start({ left: 0 })
    for (let n = 0; n < 7; n++) await put(BigInt(n))
    await host.node.jobs.queues.settle()
    const seen: string[] = []
    let after: string | null = null
    do {
      const { nodes, pageInfo } = await list(host, { first: 3, after })
      seen.push(...nodes.map(({ status, data }) => `${status} ${Amount.safeParse(data).data?.amount ?? ''}`))
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null
      await put(99n)
    } while (after !== null)
    expect(seen.slice(0, 7)).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `DONE ${n}`))
    expect(seen.slice(7).sort()).toEqual(['RUNNING ', 'SCHEDULED '])
  })

  it('shows when a cron job is due, and how a continuous one is doing', async () => {
    const { host } = await start({ left: 0 })
    const running = async () => (await list(host, { status: 'RUNNING' })).nodes
    await until(async () => (await running()).length > 0, 'it runs')
    expect(await running()).toMatchObject([
      { name: 'watch', kind: 'CONTINUOUS', attempt: 1, attempts: null, error: null },
    ])
    const { nodes } = await list(host, { status: 'SCHEDULED' })
    expect(nodes).toMatchObject([{ id: 'shop/sweep', kind: 'CRON', nextRunAt: expect.stringMatching(/T04:00:00/) }])
  })

  it('is for those who have the scope', async () => {
    const { host } = await start({ left: 0 })
    const codes = async (as?: Principal) => {
      const options = as === undefined ? {} : { as }
      const read = await host.execute(LIST, {}, options)
      const write = await host.execute(RETRY, { id: 'x' }, options)
      return [read, write].map(({ errors }) => errors?.[0]?.extensions.code)
    }
    expect(await codes()).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED'])
    expect(await codes(holder('jobs:read'))).toEqual([undefined, 'FORBIDDEN'])
    expect(await codes(holder('jobs:write'))).toEqual(['FORBIDDEN', undefined])
  })
})
