import type { EventRecord } from './events.ts'
import type { Host } from './host.ts'
import { type ContinuousJob, continuous } from './jobs.ts'
import type { Transaction } from './sql.ts'
import type { Topic } from './tokens.ts'

/** The most events that one transaction applies. */
const MAX_BATCH = 100

/** What `follow` takes. */
export interface Following<P, H = Host> {
  /** The job's name, unique in its plugin. Under a new name everything is followed from the beginning again. */
  readonly name: string
  /** Whose events. */
  readonly topic: Topic<P>
  /**
   * Takes in one event, by statements of `tx`: they and the note of how far the plugin got are committed together, so
   * that each event takes effect exactly once, whatever crashes. If it throws, the same event is tried again after a
   * growing pause. Events come in commit order.
   */
  apply(event: EventRecord<P>, tx: Transaction, host: H): Promise<unknown> | unknown
}

/**
 * A job that keeps a plugin's tables up to date with the events of a topic, its own or another plugin's: one of the
 * nodes that share the database follows them from the oldest that is kept.
 *
 *     jobs: [follow({ name: 'index', topic: Written, apply: ({ payload }, tx) => tx`insert into entry ${tx(payload)}` })]
 */
export function follow<P, H extends Host = Host>({ name, topic, apply }: Following<P, H>): ContinuousJob<H> {
  return continuous<H>({
    name,
    scope: 'leader',
    async run({ signal, fence }, host) {
      let cursor = await storedCursor(host, name)
      const takeIn = async (events: readonly EventRecord<P>[], last: string): Promise<void> => {
        await host.sql.begin(async (tx) => {
          await host.jobs.guard(tx, name, fence)
          for (const event of events) await apply(event, tx, host)
          await tx`
            insert into core.follower (plugin, name, cursor) values (${host.name}, ${name}, ${last})
            on conflict (plugin, name) do update set cursor = excluded.cursor`
        })
        cursor = last
      }
      while (!signal.aborted) {
        try {
          for await (const events of batches(host.events.subscribe(topic, { after: cursor, signal }))) {
            const last = events.at(-1)
            if (last !== undefined) await takeIn(events, last.cursor)
          }
        } catch (error) {
          const end = streamEnd(error)
          if (end === undefined) throw error
          // The node stops: its jobs are told next.
          if (end.code === 'DRAINING') return await aborted(signal)
          if (end.code === 'CURSOR_EXPIRED') {
            const fields = { job: name, topic: topic.id, cursor: end.cursor }
            host.log.warn(fields, 'events that are no longer kept were missed; going on behind them')
            await takeIn([], end.cursor)
          }
        }
      }
    },
  })
}

async function storedCursor(host: Host, name: string): Promise<string> {
  const [row] = await host.sql<{ cursor: string }[]>`
    select cursor from core.follower where plugin = ${host.name} and name = ${name}`
  return row?.cursor ?? host.events.beginning
}

/** Why a stream of events ended, and where to go on. Looked at by its shape: shard workers load this file, not GraphQL. */
function streamEnd(error: unknown): { readonly code: unknown; readonly cursor: string } | undefined {
  if (!(error instanceof Error) || !('cursor' in error) || !('code' in error)) return undefined
  return typeof error.cursor === 'string' ? { code: error.code, cursor: error.cursor } : undefined
}

/** What is there at a time, up to a bound: while there is more than one event, a transaction takes in several. */
async function* batches<E>(source: AsyncIterable<E>): AsyncGenerator<readonly E[]> {
  const events = source[Symbol.asyncIterator]()
  try {
    let pending = events.next()
    for (;;) {
      const first = await pending
      if (first.done === true) return
      const batch = [first.value]
      pending = events.next()
      // Whoever awaits it is told; until then a rejection is nobody's fault.
      pending.catch(() => undefined)
      while (batch.length < MAX_BATCH) {
        const next = await Promise.race([pending, turnOfTheLoop()])
        if (next === undefined || next.done === true) break
        batch.push(next.value)
        pending = events.next()
        pending.catch(() => undefined)
      }
      yield batch
    }
  } finally {
    await events.return?.()
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

const turnOfTheLoop = (): Promise<undefined> => new Promise((resolve) => setImmediate(resolve, undefined))
