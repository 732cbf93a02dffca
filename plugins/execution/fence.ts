/** Which leader writes: `core.check_fence(lease, fence)` refuses one that was replaced. */
export interface Fence {
  /** The name of the leader job's lease. */
  readonly lease: string
  readonly fence: bigint
}
