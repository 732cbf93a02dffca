import { type Builder, toJson } from '../../../schema/index.ts'
import type { Events } from '../../../server/plugin.ts'

/** An event as a call emitted it. */
export interface LedgerEventShape {
  readonly topic: string
  readonly payload: unknown
}

/** @param events the node's, asked for in resolvers only */
export function ledgerEventType(builder: Builder, events: () => Events) {
  return builder.objectRef<LedgerEventShape>('LedgerEvent').implement({
    description: 'An event that a call emitted. The stream of them is `events`.',
    fields: (t) => ({
      topic: t.exposeString('topic', { nullable: false, description: 'Like `execution.credited`.' }),
      payload: t.field({
        type: 'JSON',
        description: 'By topic; bytes as 0x-hex, big numbers as decimal strings.',
        resolve: ({ topic, payload }) => toJson(events().revive(topic, payload)),
      }),
    }),
  })
}
