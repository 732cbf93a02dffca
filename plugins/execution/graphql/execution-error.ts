import type { Builder } from '../../../schema/index.ts'

/** Why something was refused when it was executed. */
export interface ExecutionErrorShape {
  readonly code: string
  readonly message: string
}

export function executionErrorType(builder: Builder) {
  return builder.objectRef<ExecutionErrorShape>('ExecutionError').implement({
    description: 'Why a transaction or one of its actions came to nothing.',
    fields: (t) => ({
      code: t.exposeString('code', { nullable: false, description: 'Stable: decide by this.' }),
      message: t.exposeString('message', { nullable: false, description: 'What is wrong.' }),
    }),
  })
}
