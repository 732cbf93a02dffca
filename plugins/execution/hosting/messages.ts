import type { RootMoment } from '../root/root-moment.ts'
import type { ShardTuning } from '../shard/engine.ts'
import type { ShardReport, ShardRequest } from '../shard/messages.ts'
import type { ShardHost } from '../shard/shard-host.ts'

/** Grows when leader and shard host would not understand each other any more. */
export const HOST_PROTOCOL = 2
/** Where a shard host answers. */
export const HOST_PATH = '/shard-host'

/** What is needed to run one shard that the host does not know itself. */
export interface ShardAssignment {
  readonly shard: string
  readonly tuning: Partial<ShardTuning> | null
  /** The shard's last block that a root block lists: whoever has not even that has lost something. */
  readonly listed: { readonly height: number; readonly hash: Uint8Array } | null
  /** The root height from which on it exists, if it was split off from none: it makes its first block itself then. */
  readonly from: number | null
}

/** What a leader sends to a shard host. */
export type ToHost =
  /** First of all. `fence`: of the leader, for its office in the network; `network`: the genesis document. */
  | { readonly type: 'open'; readonly protocol: number; readonly network: Uint8Array; readonly fence: bigint }
  | { readonly type: 'start'; readonly assignment: ShardAssignment }
  /** To the shard itself. */
  | { readonly type: 'request'; readonly shard: string; readonly request: ShardRequest }
  | { readonly type: 'stop'; readonly shard: string }
  /** The answer to `want-root`; null if the leader cannot read it now. */
  | { readonly type: 'root'; readonly id: number; readonly root: RootMoment | null }

/** What a shard host sends to the leader. */
export type FromHost =
  /** `fence`: what writes to this host's database are held to from now on; `time`: by its clock, in ms since 1970. */
  | { readonly type: 'opened'; readonly fence: bigint; readonly time: number }
  /** It will not work for this leader; `code` FENCED: there is a newer one. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | { readonly type: 'report'; readonly shard: string; readonly report: ShardReport }
  /** How the shard is; `reason` when it does not run and somebody should know why. */
  | {
      readonly type: 'status'
      readonly shard: string
      readonly status: ShardHost['status']
      readonly reason: { readonly code: string; readonly message: string } | null
    }
  /** A shard that starts must know the root block that its last block had taken in. */
  | { readonly type: 'want-root'; readonly id: number; readonly height: number }

/**
 * The same value with each Uint8Array in a buffer of its own. What comes in one frame shares the frame's buffer: posting
 * a part of it to a thread would copy, or take away, all of it.
 */
export function ownBytes<T>(value: T): T
export function ownBytes(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    if (value.byteLength === value.buffer.byteLength) return value
    if (value instanceof Uint32Array) return Uint32Array.from(value)
    return value instanceof Uint8Array ? Uint8Array.from(value) : value
  }
  if (Array.isArray(value)) return value.map((item: unknown) => ownBytes(item))
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, ownBytes(item)]))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, ownBytes(item)]))
}
