import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import { z } from 'zod'
import { runNode } from '../../../server/testing/program.ts'
import type { NodeUnderTest } from '../node/node-under-test.ts'
import { MAIN } from '../node/process-under-test.ts'
import { HOSTED_CONFIG, type ShardHostUnderTest } from './shard-host-under-test.ts'

const Verified = z.object({ rootHeight: z.int(), from: z.int() })
const Exported = z.object({ rootHeight: z.int(), shards: z.literal(2) })

/** Has the command line audit both databases while they are at work: every root, receipt, message and cell. */
export async function auditByCommands(node: NodeUnderTest, host: ShardHostUnderTest): Promise<void> {
  const env = { PATH: process.env.PATH, SHARD_HOST: host.told }
  const ask = async <T>(schema: z.ZodType<T>, ...words: readonly string[]): Promise<T> => {
    const program = runNode([MAIN, ...words, '--json', '--data', node.dataDir, '--config', HOSTED_CONFIG], { env })
    assert.deepEqual(await program.ended, { code: 0, signal: null }, program.output.err)
    return schema.parse(JSON.parse(program.output.out))
  }
  const { rootHeight } = await ask(Verified, 'verify')
  const half = rootHeight >> 1
  const [late, exported] = await Promise.all([
    ask(Verified, 'verify', '--from', String(half)),
    ask(Exported, 'snapshot', 'export', join(node.dataDir, 'snapshot')),
  ])
  assert.equal(late.from, half)
  assert.ok(exported.rootHeight >= rootHeight)
}
