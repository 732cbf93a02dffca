import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../testing/program.ts'
import { createJobNodes, type JobNodes, work } from './fixtures/job-node.ts'

const shop = { plugin: 'shop', name: 'work' }

let nodes: JobNodes
beforeEach(async () => {
  nodes = await createJobNodes()
})
afterEach(() => nodes.stop())

const states = async (): Promise<unknown[]> =>
  (await nodes.sql`select state from pgboss.job order by created_on`).map(({ state }) => state)

describe('work that is put in', () => {
  it('runs with its data, as it was', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([
      work({ run: ({ data, attempt, fence }) => void seen.push([data, attempt, fence]) }),
    ])
    const id = await jobs.enqueue(nodes.sql, shop, { n: 7 })
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    await until(() => seen.length > 0, 'it has run')
    expect(seen).toEqual([[{ n: 7 }, 1, 0n]])
    await until(async () => (await states()).join() === 'completed', 'its end is written')
  })

  it('exists if and only if its transaction commits', async () => {
    const seen: unknown[] = []
    const { jobs } = await nodes.start([work({ run: ({ data }) => void seen.push(data) })])
    const given = nodes.sql.begin(async (tx) => {
      await jobs.enqueue(tx, shop, { n: 1 })
      throw new Error('rolled back')
    })
    await expect(given).rejects.toThrow('rolled back')
    await nodes.sql.begin(async (tx) => {
      await jobs.enqueue(tx, shop, { n: 2 })
      await jobs.enqueue(tx, shop, { n: 3 })
    })
    await jobs.settle()
    expect(seen).toEqual([{ n: 2 }, { n: 3 }])
  })
})
