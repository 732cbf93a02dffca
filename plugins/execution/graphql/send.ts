import { MAX_ACTIONS } from '../../../protocol/index.ts'
import { apiError } from '../../../schema/index.ts'
import { CustodyError } from '../../../server/plugin.ts'
import type { Wait } from '../api.ts'
import { argsFromJson } from '../custody/json-args.ts'
import { type SendOutcome, Sends } from '../custody/sends.ts'
import { realmOf, thirtyTwoBytes } from './realm.ts'
import type { Setting } from './setting.ts'
import { type SubmissionTypes, WAIT_FOR } from './submission.ts'
import { told } from './told.ts'

const MAX_KEY = 100

/** Sending without signing: the node signs for its custodial accounts. */
export function defineSend(
  { builder, host, databases, ledger, renew }: Setting,
  { wait, result }: SubmissionTypes,
): void {
  let sends: Sends | undefined
  const service = (): Sends => {
    sends ??= new Sends({ sql: host.sql, databases, ledger: ledger(), custody: host.custody, clock: host.clock })
    return sends
  }
  const action = builder.inputType('ActionInput', {
    description: 'One call to one cell; without `call`, a payment.',
    fields: (t) => ({
      to: t.field({ type: 'Bytes', required: true, description: 'The cell that is called: 32 bytes.' }),
      call: t.string({ description: '`<module>.<call>`; `account.credit` if absent.' }),
      args: t.field({
        type: 'JSON',
        description:
          'What the call takes: `{"$bytes": "0x..."}` stands for bytes, `{"$int": "..."}` for large numbers.',
      }),
      value: t.field({ type: 'BigInt', description: 'In the smallest unit; 0 if absent.' }),
      realm: t.int({ description: '0 if absent.' }),
    }),
  })
  builder.mutationField('send', (t) =>
    t.field({
      type: result,
      nullable: false,
      authScopes: { scope: 'wallet:send' },
      description:
        "Signs actions for the caller's custodial account, within the caps of its API key, and submits them as one transaction. The same `idempotencyKey` is the same transaction for 30 days: to ask again, after an error or without an answer, never pays twice. Refusals besides those of `submitTransaction`: SPENDING_CAP, CALL_NOT_ALLOWED, SENDS_PENDING, IDEMPOTENCY_CONFLICT.",
      args: {
        actions: t.arg({ type: [action], required: true, description: `1 to ${MAX_ACTIONS}.` }),
        idempotencyKey: t.arg.string({
          required: true,
          description: 'A name of your own for this payment, like an order number: another one for each.',
        }),
        wait: t.arg({ type: wait, defaultValue: 'INCLUDED', description: WAIT_FOR }),
        maxFee: t.arg({ type: 'BigInt', description: 'Units beyond the values; twice the present fee if absent.' }),
      },
      complexity: 20,
      resolve: async (_root, { actions, idempotencyKey, wait: until, maxFee }, context): Promise<SendOutcome> => {
        if (actions.length === 0 || actions.length > MAX_ACTIONS)
          throw apiError('BAD_USER_INPUT', `A transaction has 1 to ${MAX_ACTIONS} actions, not ${actions.length}.`)
        if (idempotencyKey.length === 0 || idempotencyKey.length > MAX_KEY)
          throw apiError('BAD_USER_INPUT', `\`idempotencyKey\` has 1 to ${MAX_KEY} characters.`)
        if (idempotencyKey.includes('\0')) throw apiError('BAD_USER_INPUT', '`idempotencyKey` has no zero characters.')
        const request = {
          idempotencyKey,
          maxFee: maxFee ?? null,
          actions: actions.map(({ to, call, args, value, realm }) => ({
            to: thirtyTwoBytes('to', to),
            realm: realmOf(realm),
            call: call ?? 'account.credit',
            args: argsFromJson(args),
            value: amount(value ?? 0n),
          })),
        }
        const wanted: Wait = until ?? 'NONE'
        const outcome = await told(() =>
          custodial(() => service().send(context.principal, request, wanted, context.signal)),
        )
        renew(context)
        return outcome
      },
    }),
  )
}

function amount(value: bigint): bigint {
  if (value >= 0n && value < 1n << 128n) return value
  throw apiError('BAD_USER_INPUT', 'A value is an amount from 0 on, below 2^128.')
}

/** What custody refuses as an error that clients see. */
async function custodial<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof CustodyError)) throw error
    throw apiError(error.code === 'KEY_NOT_VALID' ? 'UNAUTHENTICATED' : error.code, error.message)
  }
}
