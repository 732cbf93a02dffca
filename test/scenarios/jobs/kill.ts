import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createJobNodes, type JobNodes } from '../../../server/jobs/fixtures/job-node.ts'
import { type Program, runNode, until } from '../../../server/testing/program.ts'
import { thenClose } from '../first-error.ts'
import type { Figures, Run, Scenario } from '../scenario.ts'
import { shopWork } from './shop-work.ts'

const PROCESS = fileURLToPath(new URL('./job-process.ts', import.meta.url))
const PROCESSES = 2
/** Pieces of work put in at a time, while processes die. */
const PORTION = 40
const DONE_WITHIN_MS = 120_000

/** Processes that work off one queue are killed in the middle of it. */
export const killJobs: Scenario = {
  name: 'jobs/kill',
  claim: 'work of processes that are killed is done by others: all of it, and twice only what a process died in',
  unit: 'kills',
  counts: { full: 40, reduced: 1 },
  run: async (run) => {
    const nodes = await createJobNodes()
    const programs: Program[] = []
    return thenClose(
      () => killAll(run, nodes, programs),
      async () => {
        await Promise.all(programs.map((program) => program.end('SIGKILL')))
        await nodes.stop()
      },
    )
  },
}

async function killAll(
  { count, isFull, random, progress }: Run,
  nodes: JobNodes,
  programs: Program[],
): Promise<Figures> {
  const { sql } = nodes
  await sql`create table core.shop_done (n int not null, attempt int not null)`
  const { jobs } = await nodes.start([shopWork(() => undefined)], { works: false })
  const start = async (): Promise<Program> => {
    const program = runNode([PROCESS, JSON.stringify(nodes.database)])
    await program.line('ready')
    return program
  }
  programs.push(...(await Promise.all(Array.from({ length: PROCESSES }, start))))
  let put = 0
  let clean = 0
  for (let round = 0; round < count; round++) {
    const first = put
    put += PORTION
    await sql.begin((tx) =>
      Promise.all(
        Array.from({ length: PORTION }, (_, at) =>
          jobs.enqueue(tx, { plugin: 'shop', name: 'work' }, { n: first + at }),
        ),
      ),
    )
    await sleep(random.between(50, 400))
    const struck = random.below(programs.length)
    // Now and then one stops as it should; its runs are put back at once.
    const isClean = isFull && random.percent(20)
    if (isClean) clean++
    await programs[struck]?.end(isClean ? 'SIGTERM' : 'SIGKILL')
    programs[struck] = await start()
    progress(`${round + 1} of ${count} kills, ${put} pieces of work`)
  }
  const left = async (): Promise<number> => {
    const [row] = await sql<{ left: number }[]>`
      select count(*)::int as left from pgboss.job where state <> 'completed'`
    return row?.left ?? 0
  }
  await until(async () => (await left()) === 0, 'everything is done', DONE_WITHIN_MS)
  const [row] = await sql<{ done: number; twice: number; kinds: number }[]>`
    select count(*)::int as done, count(distinct n)::int as kinds, (count(*) - count(distinct n))::int as twice
    from core.shop_done`
  assert.equal(row?.kinds, put, 'each piece of work was done')
  // Done, and its process died before it could say so: at most the runs that it had going.
  assert.ok(row.twice <= 8 * (count - clean), `${row.twice} were done twice`)
  return { kills: count - clean, 'clean stops': clean, work: put, 'done twice': row.twice }
}
