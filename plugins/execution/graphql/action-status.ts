import type { Builder } from '../../../schema/index.ts'

export function actionStatusEnum(builder: Builder) {
  return builder.enumType('ActionStatus', {
    description: 'How far an action got.',
    values: {
      PENDING: { description: 'Its transaction is in no block yet.' },
      SENT: { description: 'On its way to another shard.' },
      DONE: { description: 'It ran, and stands.' },
      REFUSED: { description: 'Undone; its value went back.' },
    } as const,
  })
}
