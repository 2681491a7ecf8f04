/** What the ledger of offsets says of a partition. */

/** A partition between `assign` and its revocation. */
export interface FollowedPartition {
  /** Where a restart would begin; less than any offset when nothing is committed. */
  readonly committed: number
  /** The end of the unbroken run of what was acknowledged. */
  readonly acknowledged: number
  /** Offset after everything that was delivered or passed over. */
  readonly end: number
  /** Whether its topic was created again while it was followed. */
  readonly isRecreated: boolean
}
