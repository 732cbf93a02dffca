/** `npm run record-chain`: tells the story once more and keeps the chain that comes of it, for `npm test` to execute. */
import { writeFile } from 'node:fs/promises'
import { chainInDatabase } from '../../plugins/execution/replay/index.ts'
import { encodeGenesis } from '../../protocol/index.ts'
import { archiveOf, packArchive } from './archive.ts'
import { RECORDED } from './recorded.ts'
import { tellStory } from './story.ts'

/** The same each time, so that what changes in the chain comes of the ledger's rules. */
const SEED = 2_026

const net = await tellStory(SEED)
try {
  await net.chain.stop()
  const shards = await net.sql<{ id: string }[]>`SELECT id FROM shard ORDER BY id`
  const archive = await archiveOf(
    encodeGenesis(net.network.genesis),
    chainInDatabase(net.sql),
    shards.map(({ id }) => id),
  )
  const bytes = packArchive(archive)
  await writeFile(RECORDED, bytes)
  process.stdout.write(
    `${archive.roots.length} root blocks, ${archive.blocks.length} blocks, ${bytes.length} bytes: ${RECORDED.pathname}\n`,
  )
} finally {
  await net.close()
}
