import { type Log, PeerError, type Peers } from '../../../server/plugin.ts'
import { Submit } from './calls.ts'

/** Transactions in one call. */
const PAGE = 500

/**
 * Gives a new leader what waited for the one before. Of what it does not take the clients will ask. Never rejects.
 * @param wires bytes of transactions, in order
 */
export async function passOn(peers: Pick<Peers, 'call'>, wires: readonly Uint8Array[], log: Log): Promise<void> {
  if (wires.length === 0) return
  log.info({ transactions: wires.length }, 'a new leader gets what waited for the last one')
  for (let from = 0; from < wires.length; from += PAGE) {
    try {
      await peers.call(Submit, { wires: wires.slice(from, from + PAGE), wait: 'NONE' })
    } catch (error) {
      log.warn({ error: String(error), from }, 'some of what waited for the last leader was not passed on')
      // One shard that does not run yet must not keep back what goes to others; without a leader there are none.
      if (error instanceof PeerError) return
    }
  }
}
