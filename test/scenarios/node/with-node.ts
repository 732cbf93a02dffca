import type { Random } from '../random.ts'
import { readGenesis } from './audit.ts'
import { Book } from './book.ts'
import { Load } from './load.ts'
import { NodeUnderTest } from './node-under-test.ts'

/** A running node and the payments on it. */
export interface Stage {
  readonly node: NodeUnderTest
  readonly book: Book
  readonly load: Load
}

/** Runs a scenario on a node of its own. An error that comes out of it tells what the node said last. */
export async function withNode<T>(random: Random, play: (stage: Stage) => Promise<T>): Promise<T> {
  const node = new NodeUnderTest()
  let load: Load | undefined
  try {
    await node.start()
    const book = new Book((await readGenesis(node.url)).id)
    load = new Load(book, random)
    return await play({ node, book, load })
  } catch (error) {
    load?.halt()
    throw new Error(
      `${error instanceof Error ? error.message : error}\n\nstderr: ${node.complaints}\nlog: ${node.logTail()}`,
      {
        cause: error,
      },
    )
  } finally {
    await node.remove()
  }
}
