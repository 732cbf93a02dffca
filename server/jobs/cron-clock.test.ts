import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../testing/program.ts'
import { testClock } from '../testing/test-clock.ts'
import { createJobNodes, type JobNodes, tick } from './fixtures/job-node.ts'
import { nextTime, scheduleProblem } from './schedule.ts'

let nodes: JobNodes
beforeAll(async () => {
  nodes = await createJobNodes()
})
afterEach(() => nodes.clear())
afterAll(() => nodes.stop())

const START = Date.UTC(2030, 0, 1, 12, 30)
const MINUTE = 60_000

describe('a cron job', () => {
  it('runs when it is due, once on all nodes together', async () => {
    const runs: string[] = []
    const clock = testClock(START)
    const one = await nodes.start([tick('0 * * * *', () => void runs.push('one'))], { clock })
    const other = await nodes.start([tick('0 * * * *', () => void runs.push('other'))], { clock })
    const settle = () => Promise.all([one.jobs.settle(), other.jobs.settle()])
    await settle()
    expect(runs).toEqual([])
    expect(one.jobs.nextDue()).toBe(START + 30 * MINUTE)
    for (let hour = 1; hour <= 5; hour++) {
      await clock.advance(60 * MINUTE)
      await settle()
      await until(() => runs.length === hour, `run ${hour}`)
    }
    await settle()
    expect(runs).toHaveLength(5)
    const [count] = await nodes.sql`select count(*)::int as runs from pgboss.job where state = 'completed'`
    expect(count).toEqual({ runs: 5 })
  })

  it('makes up once for the times at which no node ran', async () => {
    const runs: number[] = []
    const clock = testClock(START)
    const job = tick('*/10 * * * *', () => void runs.push(clock.now()))
    const first = await nodes.start([job], { clock })
    await first.end()
    await clock.advance(24 * 60 * MINUTE + 3 * MINUTE)
    const { jobs } = await nodes.start([job], { clock })
    await jobs.settle()
    expect(runs).toHaveLength(1)
    expect(jobs.nextDue()).toBe(START + 24 * 60 * MINUTE + 10 * MINUTE)
  })

  it('is left out while the run before goes on', async () => {
    const gate = Promise.withResolvers<void>()
    let runs = 0
    const clock = testClock(START)
    const run = () => {
      runs++
      return gate.promise
    }
    const { jobs } = await nodes.start([tick('* * * * *', run)], { clock })
    await clock.advance(MINUTE)
    await until(() => runs === 1, 'it runs')
    await clock.advance(MINUTE)
    await until(() => (jobs.nextDue() ?? 0) > START + 2 * MINUTE, 'the next time has passed')
    gate.resolve()
    await jobs.settle()
    expect(runs).toBe(1)
    await clock.advance(MINUTE)
    await jobs.settle()
    expect(runs).toBe(2)
  })

  it('follows a schedule that was changed, and is forgotten with its plugin', async () => {
    const clock = testClock(START)
    const due = async () => (await nodes.sql`select name, due_at from core.cron_job`).map((row) => ({ ...row }))
    await (await nodes.start([tick('0 * * * *', () => undefined)], { clock })).end()
    expect(await due()).toEqual([{ name: 'tick', due_at: new Date(START + 30 * MINUTE) }])
    await (await nodes.start([tick('45 * * * *', () => undefined)], { clock })).end()
    expect(await due()).toEqual([{ name: 'tick', due_at: new Date(START + 15 * MINUTE) }])
    await nodes.start([{ ...tick('0 0 * * *', () => undefined), name: 'other' }], { clock })
    expect(await due()).toEqual([{ name: 'other', due_at: new Date(Date.UTC(2030, 0, 2)) }])
  })
})

describe('a schedule', () => {
  it('is in UTC, and has five fields', () => {
    expect(nextTime('0 4 * * *', START)).toBe(Date.UTC(2030, 0, 2, 4))
    expect(nextTime('0 0 29 2 *', START)).toBe(Date.UTC(2032, 1, 29))
    expect(nextTime('*/15 9-17 * * mon-fri', Date.UTC(2030, 0, 4, 17, 50))).toBe(Date.UTC(2030, 0, 7, 9))
    for (const wrong of ['', '* * * *', '* * * * * *', '@daily', '61 * * * *', '0 0 30 2 *', 'H * * * *', 'FREQ=DAILY'])
      expect(scheduleProblem(wrong, START)).toBeTypeOf('string')
    expect(scheduleProblem('  5 4 * * thu ', START)).toBeUndefined()
  })
})
