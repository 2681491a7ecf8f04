/** The leader of a partition as a broker knows it, after NOT_LEADER_OR_FOLLOWER (KIP-951). */
export interface CurrentLeader {
  readonly id: number
  readonly epoch: number
}

/** @returns undefined where the response names none */
export function leaderOf({
  leaderId,
  leaderEpoch,
}: {
  leaderId: number
  leaderEpoch: number
}): CurrentLeader | undefined {
  return leaderId < 0 ? undefined : { id: leaderId, epoch: leaderEpoch }
}
