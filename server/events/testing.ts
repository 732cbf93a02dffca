import type { EventRecord, Sql } from '../plugin.ts'

/** For tests: so many events of a stream; then it is left. */
export async function take<P>(stream: AsyncIterable<EventRecord<P>>, howMany: number): Promise<EventRecord<P>[]> {
  const taken: EventRecord<P>[] = []
  if (howMany === 0) return taken
  for await (const event of stream) if (taken.push(event) === howMany) break
  return taken
}

export const numbersOf = (records: readonly EventRecord<{ n: number }>[]): number[] =>
  records.map(({ payload }) => payload.n)

/** For tests: waits until all that was committed has its place. */
export async function settle(sql: Sql, { wake }: { wake(): void }): Promise<void> {
  for (;;) {
    const [row] = await sql<{ waiting: number }[]>`SELECT count(*)::int AS waiting FROM event_batch WHERE seq IS NULL`
    if (row?.waiting === 0) return
    wake()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
