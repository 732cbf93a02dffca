import { type GraphQLField, getNamedType, isInterfaceType, isLeafType, isObjectType, isRequiredArgument } from 'graphql'
import type { TestHost } from '../test-host.ts'
import type { TestSubscription } from '../test-subscription.ts'

/** How a test makes a subscription tell something. */
export interface SubscriptionExample {
  /** Makes the n-th thing happen (from 0); each must give exactly one result. */
  cause(host: TestHost, n: number): Promise<unknown>
  /** Arguments beside `after`, as GraphQL text: `station: "roof"`. */
  readonly arguments?: string
}

/** The subscription's text: its leaves without arguments are selected, and among them must be a cursor. */
function documentOf(field: GraphQLField<unknown, unknown>, example: SubscriptionExample): string {
  const type = getNamedType(field.type)
  const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : []
  const leaves = fields.filter((leaf) => isLeafType(getNamedType(leaf.type)) && !leaf.args.some(isRequiredArgument))
  if (!leaves.some(({ name }) => name === 'cursor'))
    throw new TypeError(
      `Subscription.${field.name} takes \`after\`, and ${type.name} has no field \`cursor\` to give there: add it`,
    )
  const selection = leaves.map(({ name }) => name).join(' ')
  const others = example.arguments === undefined ? '' : `, ${example.arguments}`
  return `subscription ($after: Cursor) { result: ${field.name}(after: $after${others}) { ${selection} } }`
}

/**
 * Cuts a subscription at each of its results, over a restart of the node too, and goes on after it.
 * @returns what was told without a cut, and what after each cut; the same from there on if nothing is lost or repeated
 */
export async function cutAndResumed(
  host: TestHost,
  field: GraphQLField<unknown, unknown>,
  example: SubscriptionExample,
): Promise<{ readonly whole: readonly Result[]; readonly resumed: readonly (readonly Result[])[] }> {
  const document = documentOf(field, example)
  const resume = (after: string | null): Promise<TestSubscription> => host.subscribe(document, { after })
  const live = await resume(null)
  for (const n of [0, 1, 2]) await example.cause(host, n)
  const before = await results(live, 3)
  await live.end()
  const early = await resume(before[0]?.cursor ?? null)
  const backfill = await results(early, 2)
  await host.restart()
  const late = await resume(before[1]?.cursor ?? null)
  await example.cause(host, 3)
  const afterRestart = await results(late, 2)
  await late.end()
  const whole = [...before, ...afterRestart.slice(1)]
  return { whole, resumed: [[...backfill, ...afterRestart.slice(1)], afterRestart] }
}

interface Result {
  readonly cursor: string
}

async function results(subscription: TestSubscription, count: number): Promise<readonly Result[]> {
  const taken = await subscription.take(count)
  return taken.map(({ result }) => {
    if (typeof result === 'object' && result !== null && 'cursor' in result && typeof result.cursor === 'string')
      return { ...result, cursor: result.cursor }
    throw new TypeError(`a result without a cursor: ${JSON.stringify(result)}`)
  })
}
