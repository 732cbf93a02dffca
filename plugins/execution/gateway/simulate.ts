import { cellPath, decodeMessage, peekSender, shardOf } from '../../../protocol/index.ts'
import type { ActionOutcome, Simulation } from '../api.ts'
import type { ShardHost } from '../shard/shard-host.ts'
import type { ShardSpace } from '../shard/shard-space.ts'
import type { Destination } from './router.ts'

/** Shards that a simulated transaction may reach one after another. */
const MAX_HOPS = 8

/** Runs a transaction, signed or not, on copies of the committed states of all shards that it reaches. */
export async function simulateEverywhere(destinations: readonly Destination[], bytes: Uint8Array): Promise<Simulation> {
  const home = homeOf(destinations, bytes)
  if (home === undefined) {
    return { kind: 'refused', code: 'MALFORMED', message: 'these bytes are no transaction of a realm of this network' }
  }
  const here = await home.ask({ kind: 'simulate', transaction: bytes })
  if (here.kind === 'refused') return here
  const actions = here.simulation.actions.map((action) => ({ ...action, events: [...action.events] }))
  let outgoing = here.outgoing
  for (let hop = 0; hop < MAX_HOPS && outgoing.length > 0; hop++) {
    const next: Uint8Array[] = []
    for (const [destination, messages] of groupByShard(destinations, outgoing)) {
      const found = await destination.host.ask({ kind: 'simulate-messages', messages })
      for (const outcome of found.outcomes) {
        const action = actions[outcome.action]
        if (action === undefined) continue
        action.events.push(...outcome.events)
        if (outcome.isAction) actions[outcome.action] = { ...action, ...fateOf(outcome.refused, destination.space) }
      }
      next.push(...found.outgoing)
    }
    outgoing = next
  }
  return { ...here.simulation, actions }
}

function fateOf(refused: ActionOutcome['error'], space: ShardSpace): Pick<ActionOutcome, 'status' | 'error' | 'shard'> {
  return { status: refused === null ? 'DONE' : 'REFUSED', error: refused, shard: space.id }
}

/** The shard of the sender. */
function homeOf(destinations: readonly Destination[], bytes: Uint8Array): ShardHost | undefined {
  const peeked = peekSender(bytes)
  if (peeked === undefined) return undefined
  return find(destinations, peeked.realm, cellPath(peeked.sender))?.host
}

function groupByShard(
  destinations: readonly Destination[],
  messages: readonly Uint8Array[],
): Map<Destination, Uint8Array[]> {
  const groups = new Map<Destination, Uint8Array[]>()
  for (const bytes of messages) {
    const message = decodeMessage(bytes)
    const destination = find(destinations, message.realm, cellPath(message.to))
    if (destination === undefined) continue
    const group = groups.get(destination)
    if (group === undefined) groups.set(destination, [bytes])
    else group.push(bytes)
  }
  return groups
}

function find(destinations: readonly Destination[], realm: number, path: Uint8Array): Destination | undefined {
  const space = shardOf(
    destinations.map((destination) => destination.space),
    realm,
    path,
  )
  return destinations.find((destination) => destination.space === space)
}
