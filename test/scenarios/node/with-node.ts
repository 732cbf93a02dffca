import { thenClose, withLastWords } from '../first-error.ts'
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
  const onNode = async (): Promise<T> => {
    await node.start()
    const book = new Book((await readGenesis(node.url)).id)
    const load = new Load(book, random)
    try {
      return await play({ node, book, load })
    } catch (error) {
      load.halt()
      throw error
    }
  }
  return thenClose(
    () => withLastWords({ node }, onNode),
    () => node.remove(),
  )
}
