import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { createJobNodes, type JobNodes, work } from './fixtures/job-node.ts'
import { prune } from './prune.ts'

let nodes: JobNodes
beforeAll(async () => {
  nodes = await createJobNodes()
  await nodes.start([work({})], { works: false })
})
afterEach(() => nodes.clear())
afterAll(() => nodes.stop())

/** Runs of one state, the first of which ended so many days ago, the next ten seconds before it, and so on. */
const write = (state: string, days: number, count = 1) => nodes.sql`
  insert into pgboss.job (name, state, policy, singleton_key, created_on, completed_on)
  select 'shop/work', ${state}::pgboss.job_state, 'exclusive', ${`${state} ${days} `} || n, now() - interval '90 days',
    case when ${state} in ('created', 'active') then null
      else now() - make_interval(days => ${days}, secs => 10 * n) end
  from generate_series(0, ${count - 1}) as n`
const left = async () =>
  (await nodes.sql`select singleton_key as key from pgboss.job order by key`).map(({ key }) => String(key))

it('what is done is forgotten in days, what has failed in a month, and what waits or runs never', async () => {
  await write('completed', 1)
  await write('completed', 4)
  await write('cancelled', 4)
  await write('failed', 4)
  await write('failed', 31)
  await write('created', 0)
  await write('active', 0)
  await prune(nodes.sql)
  expect(await left()).toEqual(['active 0 0', 'completed 1 0', 'created 0 0', 'failed 4 0'])
})

it('of a job that runs all the time, the newest runs are kept', async () => {
  await write('completed', 0, 30)
  await write('failed', 0, 30)
  const few = { days: 3, runs: 3 }
  await prune(nodes.sql, { completed: few, cancelled: few, failed: { days: 30, runs: 2 } })
  expect(await left()).toEqual(['completed 0 0', 'completed 0 1', 'completed 0 2', 'failed 0 0', 'failed 0 1'])
})
