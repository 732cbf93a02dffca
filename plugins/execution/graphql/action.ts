import { type Action, STATUS } from '../../../protocol/index.ts'
import { toJson } from '../../../schema/index.ts'
import type { BlockPlace, TransactionRef } from '../api.ts'
import { MESSAGE_KIND } from '../shard/outcome.ts'
import type { ExecutionErrorShape } from './execution-error.ts'
import { ROOT } from './heights.ts'
import type { Loaders, TransactionBody } from './loaders.ts'
import { realmInt } from './realm.ts'
import type { Setting } from './setting.ts'
import { placeOf } from './transaction-source.ts'

interface ActionShape {
  readonly ref: TransactionRef
  readonly body: TransactionBody
  readonly index: number
}

interface Outcome {
  readonly status: 'PENDING' | 'SENT' | 'DONE' | 'REFUSED'
  readonly error: ExecutionErrorShape | null
  /** The block that it ran in. */
  readonly at: BlockPlace | null
}

/** What became of the action so far: in its transaction's own block, or in the shard that it was sent to. */
async function outcomeOf(loaders: Loaders, { ref, body, index }: ActionShape): Promise<Outcome> {
  const { receipt } = body
  if (receipt === null) return { status: 'PENDING', error: null, at: null }
  const status = receipt.statuses[index]
  if (status !== STATUS.SENT) {
    const error = receipt.errors.find((candidate) => candidate.action === index) ?? null
    return { status: error === null ? 'DONE' : 'REFUSED', error, at: await placeOf(loaders, ref) }
  }
  for (const { messages, ...at } of await loaders.outcomes.load(ref.id)) {
    const own = messages.find((message) => message.action === index && message.kind === MESSAGE_KIND.ACTION)
    if (own === undefined) continue
    const refused = own.status === STATUS.REFUSED
    return { status: refused ? 'REFUSED' : 'DONE', error: refused ? own : null, at }
  }
  return { status: 'SENT', error: null, at: null }
}

/** Everything that the action caused, in the transaction's own block and in those that its messages reached. */
async function eventsOf(loaders: Loaders, { ref, body, index }: ActionShape) {
  if (body.receipt === null) return []
  const [own, outcomes] = await Promise.all([placeOf(loaders, ref), loaders.outcomes.load(ref.id)])
  const reached = outcomes.filter(({ messages }) => messages.some((message) => message.action === index))
  const places = own === null ? reached : [own, ...reached]
  const found = await Promise.all(places.map(({ shard, height }) => loaders.events.load({ id: ref.id, shard, height })))
  return found.flat().filter((event) => event.action === index)
}

/** The type Action. */
export function actionType(setting: Setting) {
  const { builder, refs, loaders, ledger } = setting
  const call = ({ body, index }: ActionShape): Action => body.transaction.actions[index] as Action

  return builder.objectRef<ActionShape>('Action').implement({
    description: 'One call of a transaction.',
    fields: (t) => ({
      to: t.field({
        type: 'Bytes',
        nullable: false,
        resolve: (shape) => call(shape).to,
        description: 'The cell that it runs against.',
      }),
      realm: t.int({
        resolve: (shape) => realmInt(call(shape).realm),
        description: 'The realm of that cell; null for the root chain.',
      }),
      call: t.string({ nullable: false, resolve: (shape) => call(shape).call, description: '`<module>.<call>`' }),
      args: t.field({
        type: 'JSON',
        nullable: false,
        description: 'As the call takes them; bytes as 0x-hex, big numbers as decimal strings.',
        resolve: (shape) => toJson(call(shape).args),
      }),
      value: t.field({
        type: 'BigInt',
        nullable: false,
        resolve: (shape) => call(shape).value,
        description: 'Carried from the sender, in the smallest unit.',
      }),
      status: t.field({
        type: refs.actionStatus,
        nullable: false,
        description: 'How far it got.',
        resolve: async (shape, _args, context) => (await outcomeOf(loaders(context), shape)).status,
      }),
      error: t.field({
        type: refs.error,
        description: 'Why it was refused; null if it was not.',
        resolve: async (shape, _args, context) => (await outcomeOf(loaders(context), shape)).error,
      }),
      shard: t.field({
        type: refs.shard,
        description: 'Where it ran, or will run.',
        resolve: async (shape, _args, context) => {
          const { at } = await outcomeOf(loaders(context), shape)
          const id = at?.shard ?? ledger().shardOf(call(shape).realm, call(shape).to)
          return id === undefined ? null : { id }
        },
      }),
      block: t.field({
        type: refs.block,
        description: 'The shard block that it ran in; null until then, and for actions on the root chain.',
        resolve: async (shape, _args, context) => {
          const { at } = await outcomeOf(loaders(context), shape)
          return at?.shard === ROOT ? null : at
        },
      }),
      events: t.field({
        type: [refs.event],
        nullable: false,
        complexity: { field: 10, multiplier: 2 },
        description: 'What it caused, with the calls that it sent.',
        resolve: (shape, _args, context) => eventsOf(loaders(context), shape),
      }),
    }),
  })
}
