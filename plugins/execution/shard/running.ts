import { toHex } from '../../../protocol/index.ts'

/** What a shard runs, or ran when it broke. */
export type Running =
  /** `id`: of the transaction, 32 bytes. `admission`: it is looked at before it is taken into the mempool. */
  | { readonly kind: 'transaction' | 'admission' | 'trial'; readonly id: Uint8Array; readonly call: string }
  | RunningMessage

/** A message from another shard, or one that had to wait: it cannot be left out. */
export interface RunningMessage {
  readonly kind: 'message'
  /** Id of the transaction that it comes from; 32 zero bytes if it comes from none. */
  readonly id: Uint8Array
  /** The cell that sent it, and the one that it is for; 32 bytes each. */
  readonly from: Uint8Array
  readonly fromRealm: number
  readonly to: Uint8Array
  /** The call that runs; it may be one that the message's own call has sent. */
  readonly call: string
}

/** What runs, in words: `call "x.y" of transaction 0x..`. */
export function describe(running: Running): string {
  const call = running.call === '' ? 'a call' : `call "${running.call}"`
  const id = toHex(running.id)
  switch (running.kind) {
    case 'transaction':
      return `${call} of transaction ${id}`
    case 'admission':
      return `a schema or weight of transaction ${id}`
    case 'trial':
      return `${call} of the simulated transaction ${id}`
    case 'message':
      return `${call} on cell ${toHex(running.to)}, by a message of transaction ${id} from cell ${toHex(running.from)}`
  }
}

/** What ran could not be run to its end; nothing that it did is kept. The cause says what happened. */
export class BadRunError extends Error {
  override readonly name = 'BadRunError'
  readonly code = 'BAD_RUN'
  readonly running: Running

  constructor(running: Running, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`${describe(running)} broke the block: ${why}`, { cause })
    this.running = running
  }
}
