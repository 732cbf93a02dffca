import type { EventPage, EventRecord, Events, Log, Sql, SqlOrTransaction, Topic } from '../plugin.ts'
import { reviversOf } from './batch.ts'
import { formatCursor, parseCursor } from './cursor.ts'
import { readPage } from './page.ts'
import { publishEvents } from './publish.ts'
import { Sequencer } from './sequencer.ts'
import { EventStore } from './store.ts'
import { Subscription } from './subscription.ts'
import { Tail } from './tail.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface EventsOptions {
  /** Any pool on the node's database; the core's migrations have been applied. */
  readonly sql: Sql
  readonly log: Log
  /** All topics that plugins declare. They say how long events are kept, and the types of their payloads. */
  readonly topics: readonly Topic<unknown>[]
  /** How many events a reader who had caught up may fall behind; 100,000 if absent. */
  readonly maxBehind?: number
}

/** The events of the whole node, and their life. */
export interface EventsService extends Events {
  /** The ids of all declared topics. */
  readonly topics: ReadonlySet<string>
  /** Begins to give events their places. To be called before any plugin starts. */
  start(): Promise<void>
  /** The cursor behind which everything is that has not been given out yet. */
  position(): string
  /** The stream's last place that is known here, the last that subscribers were given, and how many events were written. */
  progress(): { readonly head: number; readonly given: number; readonly published: number }
  /** Ends every subscription with DRAINING; events can still be published. */
  drain(): void
  /** Ends all work; what was published but not placed is placed after the next start. */
  stop(): Promise<void>
  /** Forgets what its topic's retention says need not be kept; done by itself every hour. Returns how many batches went. */
  prune(now: Date): Promise<number>
}

/** A list of topics in the forms that callers have. */
type Topics = Topic<unknown> | readonly (Topic<unknown> | string)[] | null

/** Makes the node's event stream; nothing runs until `start`. */
export function createEvents({ sql, log, topics, maxBehind = 100_000 }: EventsOptions): EventsService {
  const revivers = reviversOf(topics)
  const store = new EventStore(sql, revivers)
  const tail = new Tail(store, log)
  const sequencer = new Sequencer({ sql, store, log, onHead: (head) => tail.advance(head) })
  const kept = topics.flatMap(({ id, retention }) => (retention === 'forever' ? [] : [[id, retention.days] as const]))
  let pruning: NodeJS.Timeout | undefined
  let published = 0
  const publish: typeof publishEvents = async (tx, events) => {
    await publishEvents(tx, events)
    published += events.length
  }

  const prune = (now: Date): Promise<number> =>
    kept.length === 0
      ? Promise.resolve(0)
      : store.prune(new Map(kept.map(([id, days]) => [id, new Date(now.getTime() - days * DAY_MS)])))

  return {
    beginning: formatCursor(1, -1),
    topics: new Set(topics.map(({ id }) => id)),
    prune,
    wake: () => sequencer.wake(),
    revive: (topic, stored) => revivers.get(topic)?.(stored) ?? stored,

    publish: <P>(tx: SqlOrTransaction, topic: Topic<P>, payload: P) => publish(tx, [[topic, payload]]),
    publishAll: publish,

    subscribe<P>(
      of: Topic<P> | readonly (Topic<P> | string)[] | null,
      options: { after?: string | null | undefined; signal?: AbortSignal } = {},
    ) {
      const after = options.after == null ? undefined : parseCursor(options.after)
      const { signal } = options
      return typed<P>(new Subscription(store, tail, { topics: idsOf(of), after, signal, maxBehind }))
    },

    async page<P>(of: Topic<P> | readonly (Topic<P> | string)[] | null, first: number, after?: string) {
      return typedPage<P>(await readPage(store, idsOf(of), first, after === undefined ? undefined : parseCursor(after)))
    },

    async start() {
      await sequencer.start()
      pruning = setInterval(() => {
        prune(new Date()).catch((error: unknown) =>
          log.warn({ error }, 'old events could not be removed; tried again in an hour'),
        )
      }, HOUR_MS)
      pruning.unref()
    },

    position: () => formatCursor(tail.position + 1, -1),

    progress: () => ({ head: tail.target, given: tail.position, published }),
    drain: () => tail.drain(),

    async stop() {
      clearInterval(pruning)
      tail.drain()
      await sequencer.stop()
      await tail.stop()
    },
  }
}

function idsOf(topics: Topics): ReadonlySet<string> | null {
  if (topics === null) return null
  const list = 'kind' in topics ? [topics] : topics
  return new Set(list.map((topic) => (typeof topic === 'string' ? topic : topic.id)))
}

/**
 * Payloads were checked against their topic's schema when they were written, and have its types again since they were
 * read; only the compiler cannot know.
 */
const typed = <P>(events: AsyncIterable<EventRecord>) => events as AsyncIterable<EventRecord<P>>
const typedPage = <P>(page: EventPage) => page as EventPage<P>
