import { setTimeout as sleep } from 'node:timers/promises'
import {
  action,
  type CborMap,
  type Client,
  document,
  type Hex32,
  isClientError,
  type TransactionInfo,
} from '../client/index.ts'
import { ROOT_REALM } from '../protocol/index.ts'
import { CommandError } from '../server/cli/command-error.ts'
import { refuseFailed } from './transaction-text.ts'

/** Between two looks at what the network makes of a call. */
const LOOK_MS = 200

/** A call of a module of the root chain. */
export interface RootCall {
  readonly call: string
  readonly args: CborMap
  /** The cell that it runs against. */
  readonly to: Hex32
  /** In the smallest unit; 0 if absent. */
  readonly value?: bigint
}

/** Signs a call, and waits until the root chain has run it. Throws CommandError with the code that it was refused with. */
export async function callRoot(client: Client, call: RootCall): Promise<TransactionInfo> {
  const info = await client.send([action({ ...call, realm: ROOT_REALM })], { until: 'EXECUTED' })
  refuseFailed(info)
  return info
}

const ROOT_HEIGHT = document<{ readonly network: { readonly rootHeight: string | null } }, object>(
  'query RootHeight { network { rootHeight } }',
)

/** The height of the network's last root block. */
export async function rootHeight(client: Client): Promise<number> {
  const { network } = await client.request(ROOT_HEIGHT, {})
  if (network.rootHeight === null)
    throw new CommandError('LEDGER_AWAY', 'the node has no ledger now: see `deaios status`')
  return Number(network.rootHeight)
}

/**
 * Looks again and again until there is something, also while the node is away for a moment. Throws CommandError TIMEOUT,
 * saying what it waited for.
 */
export async function eventually<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  for (const until = performance.now() + 1000 * seconds; ; ) {
    let away: unknown
    try {
      const found = await look()
      if (found !== undefined) return found
    } catch (error) {
      if (!isClientError(error, 'UNREACHABLE')) throw error
      away = error
    }
    if (performance.now() > until)
      throw new CommandError('TIMEOUT', `${what} takes longer than ${seconds} s; it goes on without this command`, away)
    await sleep(LOOK_MS)
  }
}
