import { type Builder, toJson } from '../../../schema/index.ts'

/** An event as a call emitted it. */
export interface LedgerEventShape {
  readonly topic: string
  readonly payload: unknown
}

export function ledgerEventType(builder: Builder) {
  return builder.objectRef<LedgerEventShape>('LedgerEvent').implement({
    description: 'An event that a call emitted. The stream of them is `events`.',
    fields: (t) => ({
      topic: t.exposeString('topic', { nullable: false }),
      payload: t.field({ type: 'JSON', resolve: ({ payload }) => toJson(payload) }),
    }),
  })
}
