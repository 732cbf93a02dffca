import { equal } from '../../../protocol/index.ts'
import { FencedError, isFenced, pause } from '../../../server/plugin.ts'
import { type BlockStore, ForkedError } from './block-store.ts'
import type { MadeBlock } from './made-block.ts'

const RETRY_MS = 100
const UNIQUE_VIOLATION = '23505'

/** The node stops while a block could not be stored; it was never acknowledged, and is not there after a restart. */
export class UncommittedError extends Error {
  override readonly name = 'UncommittedError'
  readonly code = 'UNCOMMITTED'
}

/**
 * Stores a block, however long the database is away. After a failure it may have been stored all the same (the answer
 * was lost), so the stored hash decides.
 * @throws FencedError if another node leads, ForkedError if another block stands at its height, UncommittedError if the shard is told to stop meanwhile.
 */
export async function commitUntilDurable(
  store: BlockStore,
  block: MadeBlock,
  options: { readonly onStall: (error: unknown) => void; readonly isStopping: () => boolean },
): Promise<void> {
  for (;;) {
    try {
      await store.commit(block)
      return
    } catch (error) {
      if (isFenced(error)) {
        throw new FencedError(
          `another node leads: block ${block.header.height} of ${block.header.shard} is not stored`,
          {
            cause: error,
          },
        )
      }
      const stored = await storedHash(store, block)
      if (stored !== undefined && equal(stored, block.hash)) return
      // Refused under a fence that is the newest: then what stands there is nobody's who may write. After any other
      // error it may be a newer leader's: trying again tells.
      if (isRefusedByData(error)) throw stored === undefined ? error : forked(block)
      options.onStall(error)
      if (options.isStopping()) {
        throw new UncommittedError(`block ${block.header.height} of ${block.header.shard} could not be stored`, {
          cause: error,
        })
      }
      await pause(RETRY_MS)
    }
  }
}

/** undefined if there is none, or the database is still away: the caller tries again then. */
async function storedHash(store: BlockStore, { header }: MadeBlock): Promise<Uint8Array | undefined> {
  try {
    return await store.hashAt(header.height)
  } catch (error) {
    if (isRefusedByData(error)) throw error
    return undefined
  }
}

const forked = ({ header }: MadeBlock): ForkedError =>
  new ForkedError(
    `another block stands at height ${header.height} of shard ${header.shard}: ` +
      'something else writes to this database; stop it',
  )

/** True for errors that trying again cannot mend: the statement itself is refused, not the connection. */
export function isRefusedByData(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false
  const code = String(error.code)
  // Classes 22 and 23: data and constraints; 42: the schema is not what it should be.
  return code === UNIQUE_VIOLATION || /^(22|23|42)[0-9A-Z]{3}$/.test(code)
}
