import { cellPath, decodeMessage, peekSender, shardOf } from '../../../protocol/index.ts'
import type { ActionOutcome, Simulation } from '../api.ts'
import type { RootDesk } from '../root/root-desk.ts'
import type { SimulatedMessages } from '../shard/messages.ts'
import type { ShardHost } from '../shard/shard-host.ts'
import type { ShardSpace } from '../shard/shard-space.ts'
import type { Destination } from './router.ts'

/** A part of the ledger that runs messages on a copy of its state. */
interface Stop {
  readonly space: ShardSpace
  run(messages: readonly Uint8Array[]): Promise<SimulatedMessages>
}

/** Shards that a simulated transaction may reach one after another. */
const MAX_HOPS = 8

/**
 * Runs a transaction, signed or not, on copies of the committed states of all shards that it reaches, and of the root
 * chain's.
 */
export async function simulateEverywhere(
  destinations: readonly Destination[],
  root: RootDesk,
  bytes: Uint8Array,
): Promise<Simulation> {
  const stops: Stop[] = destinations.map(({ space, host }) => ({
    space,
    run: (messages) => host.ask({ kind: 'simulate-messages', messages }),
  }))
  stops.push({ space: root.space, run: (messages) => root.simulate(messages) })
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
    for (const [stop, messages] of groupByShard(stops, outgoing)) {
      const found = await stop.run(messages)
      for (const outcome of found.outcomes) {
        const action = actions[outcome.action]
        if (action === undefined) continue
        action.events.push(...outcome.events)
        if (outcome.isAction) actions[outcome.action] = { ...action, ...fateOf(outcome.refused, stop.space) }
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

function groupByShard(stops: readonly Stop[], messages: readonly Uint8Array[]): Map<Stop, Uint8Array[]> {
  const groups = new Map<Stop, Uint8Array[]>()
  for (const bytes of messages) {
    const message = decodeMessage(bytes)
    const stop = find(stops, message.realm, cellPath(message.to))
    if (stop === undefined) continue
    const group = groups.get(stop)
    if (group === undefined) groups.set(stop, [bytes])
    else group.push(bytes)
  }
  return groups
}

function find<T extends { readonly space: ShardSpace }>(
  places: readonly T[],
  realm: number,
  path: Uint8Array,
): T | undefined {
  const space = shardOf(
    places.map((place) => place.space),
    realm,
    path,
  )
  return places.find((place) => place.space === space)
}
