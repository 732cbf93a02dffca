import type { CborValue, Message } from '../../protocol/index.ts'

/** A root block that a light client trusts. */
export interface TrustedRoot {
  readonly height: number
  /** 0x-hex. */
  readonly hash: string
  readonly time: Date
  /** CBOR of its header: what a later light client can begin with. */
  readonly header: Uint8Array
}

/** A block of a shard. */
export interface VerifiedBlock {
  readonly shard: string
  readonly height: number
  /** 0x-hex. */
  readonly hash: string
  readonly time: Date
  /** Price of one unit of weight, in the smallest unit. */
  readonly basePrice: bigint
  readonly txCount: number
  /** What it ran and what waits, in percent of a full block. */
  readonly congestion: number
}

/** What something is proven against: it was so after this. */
export interface AsOf {
  /** The root block that lists the shard's block. */
  readonly root: { readonly height: number; readonly time: Date }
  /** Undefined for what belongs to the root chain itself. */
  readonly block: { readonly shard: string; readonly height: number; readonly time: Date } | undefined
}

export interface VerifiedAccount extends AsOf {
  /** 0x-hex. */
  readonly address: string
  /** In the smallest unit; 0 for an address that nobody used. */
  readonly balance: bigint
  /** The next nonce of each lane that was used. */
  readonly lanes: ReadonlyMap<number, number>
}

export interface VerifiedCell extends AsOf {
  /** Undefined if it was proven that there is none. */
  readonly cell: { readonly owner: string; readonly balance: bigint; readonly value: CborValue } | undefined
}

export interface VerifiedTransaction extends AsOf {
  /** 0x-hex. */
  readonly id: string
  /** What was charged, in the smallest unit. */
  readonly fee: bigint
  /** What its block made of each action; SENT is on its way to another shard. */
  readonly actions: readonly {
    readonly status: 'DONE' | 'REFUSED' | 'SENT'
    readonly error: { readonly code: string; readonly message: string } | undefined
  }[]
}

export interface VerifiedMessages extends AsOf {
  /** All of them, by destination, then in the order of emission. */
  readonly messages: readonly Message[]
}

/** A shard that was split: the blocks at which it went over to its children, with all of its state and nothing else. */
export interface VerifiedSplit {
  /** Its last block. */
  readonly parent: VerifiedBlock & AsOf
  /** The first blocks of its children. */
  readonly children: readonly [VerifiedBlock & AsOf, VerifiedBlock & AsOf]
}

export interface VerifiedExport extends AsOf {
  /** Undefined if it was proven that nothing is exported under the key. */
  readonly value: CborValue | undefined
}
