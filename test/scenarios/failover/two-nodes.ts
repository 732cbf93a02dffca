import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Sql } from '../../../server/plugin.ts'
import { until } from '../../../server/testing/program.ts'
import { createTestDatabase, type TestDatabase } from '../../../server/testing/test-database.ts'
import { NodeUnderTest } from '../node/node-under-test.ts'

const LEASE = 'execution/chain'
const LEAD_WITHIN_MS = 120_000

/** Two nodes with the same operator's key on one database: one makes the blocks, both serve. */
export class TwoNodes {
  readonly nodes: readonly [NodeUnderTest, NodeUnderTest]
  readonly #database: TestDatabase
  readonly #sql: Sql

  private constructor(database: TestDatabase, nodes: readonly [NodeUnderTest, NodeUnderTest]) {
    this.#database = database
    this.#sql = connect({ ...database.options, searchPath: ['core'] }, { max: 2 })
    this.nodes = nodes
  }

  /** Starts both, one after the other. */
  static async start(): Promise<TwoNodes> {
    const database = await createTestDatabase()
    const { host, port, user, database: name } = database.options
    const url = `postgres://${user}@localhost:${port}/${name}?host=${encodeURIComponent(host)}`
    const [first, second] = [new NodeUnderTest(url), new NodeUnderTest(url)]
    const pair = new TwoNodes(database, [first, second])
    try {
      await first.start()
      shareKey(first, second)
      await second.start()
    } catch (error) {
      await pair.remove()
      throw error
    }
    return pair
  }

  /** Which of them leads now; undefined if none does. */
  async leader(): Promise<NodeUnderTest | undefined> {
    const [row] = await this.#sql<{ holder: string }[]>`
      select holder from lease where name = ${LEASE} and expires_at > clock_timestamp()`
    return this.nodes.find((node) => row !== undefined && idOf(node) === row.holder)
  }

  /** The node that leads, and the one that follows it. */
  async roles(): Promise<{ readonly leader: NodeUnderTest; readonly follower: NodeUnderTest }> {
    let leader: NodeUnderTest | undefined
    await until(
      async () => {
        leader = await this.leader()
        return leader !== undefined
      },
      'somebody leads',
      LEAD_WITHIN_MS,
    )
    const [first, second] = this.nodes
    return leader === second ? { leader: second, follower: first } : { leader: first, follower: second }
  }

  /** How often the lease was taken. */
  async terms(): Promise<number> {
    const [row] = await this.#sql<{ fence: bigint }[]>`select fence from lease where name = ${LEASE}`
    return Number(row?.fence ?? 0)
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()))
    await this.#sql.end({ timeout: 1 })
    await this.#database.drop()
  }
}

const idOf = (node: NodeUnderTest): string => readFileSync(join(node.dataDir, 'node-id'), 'utf8').trim()

function shareKey(from: NodeUnderTest, to: NodeUnderTest): void {
  const file = join('execution', 'operator.key')
  mkdirSync(join(to.dataDir, 'execution'), { recursive: true, mode: 0o700 })
  cpSync(join(from.dataDir, file), join(to.dataDir, file))
}
