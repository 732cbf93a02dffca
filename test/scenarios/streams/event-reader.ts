import { strict as assert } from 'node:assert'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Client, document } from '../../../client/index.ts'
import { until } from '../../../server/testing/program.ts'
import { ask } from '../node/graphql.ts'

const RESUME_MS = 10
const CATCH_UP_MS = 120_000

interface Event {
  readonly cursor: string
  readonly topic: string
}

const subscription = document<
  { readonly events: Event },
  { readonly topics: readonly string[] | null; readonly after: string }
>('subscription Events($topics: [String!], $after: Cursor) { events(topics: $topics, after: $after) { cursor topic } }')

/** A client that reads events; when its connection is cut, the SDK goes on behind the last one that came. */
export class EventReader {
  readonly #client: Client
  readonly #topics: readonly string[] | null
  readonly #begin: string
  /** Cursors of all events that came, in order. */
  readonly received: string[] = []
  /** How often the SDK subscribed again. */
  resumed = 0
  #reading: Promise<void> = Promise.resolve()
  readonly #leave = new AbortController()

  /** @param begin the cursor that it begins behind */
  constructor(client: Client, topics: readonly string[] | null, begin: string) {
    this.#client = client
    this.#topics = topics
    this.#begin = begin
  }

  start(): void {
    this.#reading = this.#read()
    // Whoever stops the reader hears of it; until then it must not end the process.
    this.#reading.catch(() => undefined)
  }

  /** Waits until it has all there is, and checks that this is all there is. */
  async hasAll(url: string): Promise<void> {
    const all = await allEventsAfter(url, this.#topics, this.#begin)
    await until(() => this.received.length >= all.length, 'a reader catches up', CATCH_UP_MS)
    assert.deepEqual(this.received, all)
  }

  /** @throws what ended it, other than a connection that was cut */
  async stop(): Promise<void> {
    this.#leave.abort(new Error('enough'))
    await this.#reading
  }

  async #read(): Promise<void> {
    const { signal } = this.#leave
    const variables = { topics: this.#topics, after: this.#begin }
    const onResume = () => this.resumed++
    try {
      for await (const { events } of this.#client.subscribe(subscription, variables, { signal, onResume })) {
        if (this.#topics !== null) assert.ok(this.#topics.includes(events.topic), events.topic)
        this.received.push(events.cursor)
      }
      assert.ok(signal.aborted, 'a stream of events ends by an error only')
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

const PAGES = `query Events($topics: [String!], $after: Cursor) {
  events(topics: $topics, first: 100, after: $after) { edges { cursor } pageInfo { hasNextPage } }
}`
const Page = z.object({
  events: z.object({
    edges: z.array(z.object({ cursor: z.string() })),
    pageInfo: z.object({ hasNextPage: z.boolean() }),
  }),
})

/** The cursor of the first event that there ever was; waits for it. */
export async function firstEvent(url: string): Promise<string> {
  for (;;) {
    const { events } = await ask(url, Page, PAGES, { topics: null, after: null })
    const [edge] = events.edges
    if (edge !== undefined) return edge.cursor
    await sleep(RESUME_MS)
  }
}

/** Cursors of all events behind one, up to the present end, page by page. */
async function allEventsAfter(
  url: string,
  topics: readonly string[] | null,
  begin: string,
): Promise<readonly string[]> {
  const cursors: string[] = []
  for (;;) {
    const { events } = await ask(url, Page, PAGES, { topics, after: cursors.at(-1) ?? begin })
    cursors.push(...events.edges.map(({ cursor }) => cursor))
    if (!events.pageInfo.hasNextPage) return cursors
  }
}
