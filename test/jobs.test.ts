import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createJobNodes, type JobNodes, work } from '../server/jobs/fixtures/job-node.ts'
import { type Program, runNode, until } from '../server/testing/program.ts'

const PROCESS = fileURLToPath(new URL('./fixtures/job-process.ts', import.meta.url))
const shop = { plugin: 'shop', name: 'work' }

const programs: Program[] = []
let nodes: JobNodes
beforeEach(async () => {
  nodes = await createJobNodes()
})
afterEach(async () => {
  for (const program of programs.splice(0)) await program.end('SIGKILL')
  await nodes.stop()
})

async function start(name: string): Promise<Program> {
  const program = runNode([PROCESS, JSON.stringify(nodes.database), name])
  programs.push(program)
  await program.line('ready')
  return program
}

it('a run whose process was killed is done by another, as a further try', async () => {
  const { jobs } = await nodes.start([work({})], { works: false })
  const hanging = await start('hangs')
  await jobs.enqueue(nodes.sql, shop, { n: 1 })
  await hanging.line('begun hangs try 1')
  const other = await start('ends')
  await hanging.end('SIGKILL')
  // After some eleven seconds.
  expect(await other.line('begun')).toBe('begun ends try 2')
  await until(async () => {
    const [run] = await nodes.sql`select state from pgboss.job`
    return run?.state === 'completed'
  }, 'its end is written')
})
